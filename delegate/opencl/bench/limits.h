// This measures what a device can do at most: multiply-adds in float32, and copies within its memory.

#ifndef MCPRUNER_DELEGATE_OPENCL_BENCH_LIMITS_H_
#define MCPRUNER_DELEGATE_OPENCL_BENCH_LIMITS_H_

#include "delegate/opencl/driver/device.h"

namespace mcpruner::opencl {

struct Limits {
  double gflops = 0;     // 2 for a multiply-add
  double gigabytes = 0;  // per second, read and written
};

// Returns the best of several launches.
Result<Limits> MeasureLimits(const Device& device);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_BENCH_LIMITS_H_
