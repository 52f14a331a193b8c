#include "delegate/opencl/run/self_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "delegate/cpu/reference_backend.h"
#include "delegate/opencl/testing/agreement.h"

namespace mcpruner::opencl {
namespace {

// The reference, whose outputs a fault changes.
class FaultyExecutable : public Executable {
 public:
  FaultyExecutable(std::unique_ptr<Executable> good, float factor) : good_(std::move(good)), factor_(factor) {}
  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override {
    const Status status = good_->Run(inputs, outputs);
    outputs[1][0] *= factor_;
    return status;
  }
  void SetProfiling(bool) override {}
  std::vector<OpProfile> Profile() const override { return {}; }
  Status FillMemory(float) override { return Status::Ok(); }
  int64_t ArenaBytes() const override { return 0; }
  int64_t WeightBytes() const override { return 0; }

 private:
  const std::unique_ptr<Executable> good_;
  const float factor_;
};

class FaultyBackend : public Backend {
 public:
  explicit FaultyBackend(float factor) : factor_(factor) {}
  const char* name() const override { return "faulty"; }
  Result<std::unique_ptr<Executable>> Compile(const Graph& graph) override {
    auto good = CreateReferenceBackend()->Compile(graph);
    if (!good.ok()) return good.status();
    return std::unique_ptr<Executable>(std::make_unique<FaultyExecutable>(std::move(*good), factor_));
  }

 private:
  const float factor_;
};

std::string CheckFaulty(float factor) {
  FaultyBackend backend(factor);
  return SelfCheck(&backend, 1e-4).message();
}

TEST(SelfCheckTest, SeesOneWrongNumber) {
  EXPECT_EQ(CheckFaulty(1.0f), "");
  EXPECT_EQ(CheckFaulty(1.01f).find("the device computes wrong numbers (self-check: off by 0.0"), 0u)
      << CheckFaulty(1.01f);
  EXPECT_EQ(CheckFaulty(NAN).find("the device computes wrong numbers (self-check: off by nan"), 0u);
}

TEST(SelfCheckTest, AnErrorOfTheDeviceIsTold) {
  class Refusing : public Backend {
   public:
    const char* name() const override { return "refusing"; }
    Result<std::unique_ptr<Executable>> Compile(const Graph&) override { return Status::Error("no memory"); }
  } refusing;
  EXPECT_EQ(SelfCheck(&refusing, 1e-4).message(), "the self-check could not run: no memory");
}

TEST(SelfCheckTest, ThisDevicePasses) {
  MCPRUNER_NEEDS_OPENCL();
  EXPECT_EQ(SelfCheck(MakeTestBackend().get(), 1e-4).message(), "");
  EXPECT_EQ(SelfCheck(MakeTestBackend(Precision::kFloat16Storage).get(), 1e-2).message(), "");
}

}  // namespace
}  // namespace mcpruner::opencl
