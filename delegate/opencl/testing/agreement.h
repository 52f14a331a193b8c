// This compares the opencl backend with the reference, on whatever device this machine has (PoCL in CI).

#ifndef MCPRUNER_DELEGATE_OPENCL_TESTING_AGREEMENT_H_
#define MCPRUNER_DELEGATE_OPENCL_TESTING_AGREEMENT_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/opencl/opencl_backend.h"

namespace mcpruner {

// Returns why no device of this machine can be used, or an empty string if one can.
std::string WhyNoOpenCl();

// Makes a backend with guards. The test fails where it cannot be made.
std::unique_ptr<Backend> MakeTestBackend(Precision precision = Precision::kFloat32);

// RelativeError of what the reference makes of an input that is off by a share of at most `rounding`, the largest of
// four tries and of all outputs. Where values cancel, no backend that rounds so can do better.
double EffectOfRounding(const Graph& graph, unsigned seed, double rounding);

// Runs `graph` (one input, random from `seed`) on both, on `backend` twice. The test fails where an output's
// RelativeError is not below `tolerance`, where the two runs differ, or where a guard or a border was written to.
void ExpectAgreement(Backend& backend, const Graph& graph, unsigned seed, double tolerance);

}  // namespace mcpruner

// Skips the test, with the reason, on a machine without OpenCL.
#define MCPRUNER_NEEDS_OPENCL() \
  if (const std::string why = ::mcpruner::WhyNoOpenCl(); !why.empty()) GTEST_SKIP() << "not run: " << why

#endif  // MCPRUNER_DELEGATE_OPENCL_TESTING_AGREEMENT_H_
