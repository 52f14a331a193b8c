#include "delegate/opencl/run/self_check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/faulty_backend.h"
#include "delegate/opencl/testing/agreement.h"

namespace mcpruner::opencl {
namespace {

// Checks the reference, but with its second output off by `factor`.
std::string CheckFaulty(float factor) {
  const auto scale = [factor](Span<float* const> outputs) {
    outputs[1][0] *= factor;
    return Status::Ok();
  };
  FaultyBackend backend(CreateReferenceBackend(), {nullptr, scale});
  return SelfCheck(&backend, 1e-4).message();
}

TEST(SelfCheckTest, SeesOneWrongNumber) {
  EXPECT_EQ(CheckFaulty(1.0f), "");
  EXPECT_EQ(CheckFaulty(1.01f).find("the device computes wrong numbers (self-check: off by 0.0"), 0u)
      << CheckFaulty(1.01f);
  EXPECT_EQ(CheckFaulty(NAN).find("the device computes wrong numbers (self-check: off by nan"), 0u);
}

TEST(SelfCheckTest, AnErrorOfTheDeviceIsTold) {
  FaultyBackend refusing(CreateReferenceBackend(), {[] { return Status::Error("no memory"); }, nullptr});
  EXPECT_EQ(SelfCheck(&refusing, 1e-4).message(), "the self-check could not run: no memory");
}

TEST(SelfCheckTest, ThisDevicePasses) {
  MCPRUNER_NEEDS_OPENCL();
  EXPECT_EQ(SelfCheck(MakeTestBackend().get(), 1e-4).message(), "");
  EXPECT_EQ(SelfCheck(MakeTestBackend(Precision::kFloat16Storage).get(), 1e-2).message(), "");
}

}  // namespace
}  // namespace mcpruner::opencl
