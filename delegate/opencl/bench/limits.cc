#include "delegate/opencl/bench/limits.h"

#include <algorithm>
#include <string>

#include "delegate/opencl/driver/launch.h"

namespace mcpruner::opencl {
namespace {

constexpr int kTimes = 8;
constexpr int kChains = 16, kRounds = 1024;  // independent sums of each work-item, and multiply-adds of each
constexpr int kSumItems = 1 << 19;
constexpr int kCopyItems = 1 << 23;  // of 16 bytes
// Work-groups have this many lanes. Other numbers were not measured; if one of them is faster, the limits are higher
// than what is printed.
constexpr int kLanes = 256;

constexpr char kSource[] = R"(
kernel void sums(global float* y, const float a, const float b) {
  float sum[CHAINS];
  for (int i = 0; i < CHAINS; ++i) sum[i] = get_global_id(0) + i;
  for (int r = 0; r < ROUNDS; ++r) {
#pragma unroll
    for (int i = 0; i < CHAINS; ++i) sum[i] = fma(sum[i], a, b);
  }
  float all = 0;
  for (int i = 0; i < CHAINS; ++i) all += sum[i];
  y[get_global_id(0)] = all;
}
kernel void copy(global const float4* restrict x, global float4* restrict y) {
  y[get_global_id(0)] = x[get_global_id(0)];
}
)";

// Returns the nanoseconds of the fastest launch.
Result<double> FastestLaunch(const Device& device, const Launch& launch) {
  const OpenClApi& api = device.api();
  const Result<ClQueue> queue = device.MakeQueue(true);
  if (!queue.ok()) return queue.status();
  cl_ulong best = ~cl_ulong{0};
  for (int i = 0; i < kTimes; ++i) {
    cl_event event = nullptr;
    MCPRUNER_RETURN_IF_ERROR(Enqueue(api, queue->get(), launch, &event));
    const ClEvent owner(api, event);
    MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFinish(queue->get()), "waiting for a launch"));
    cl_ulong start = 0, end = 0;
    api.clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, nullptr);
    api.clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr);
    best = std::min(best, end - start);
  }
  return static_cast<double>(best);
}

Result<ClKernel> MakeKernel(const Device& device, cl_program program, const char* name) {
  cl_int error = CL_SUCCESS;
  const cl_kernel kernel = device.api().clCreateKernel(program, name, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, std::string("making kernel ") + name));
  return ClKernel(device.api(), kernel);
}

}  // namespace

Result<Limits> MeasureLimits(const Device& device) {
  const OpenClApi& api = device.api();
  const char* source = kSource;
  cl_int error = CL_SUCCESS;
  const ClProgram program(api, api.clCreateProgramWithSource(device.context(), 1, &source, nullptr, &error));
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "making the program of limits"));
  const std::string options = "-DCHAINS=" + std::to_string(kChains) + " -DROUNDS=" + std::to_string(kRounds);
  MCPRUNER_RETURN_IF_ERROR(
      ClStatus(api.clBuildProgram(program.get(), 1, &device.info().id, options.c_str(), nullptr, nullptr),
               "building the program of limits"));
  Result<ClBuffer> x = device.MakeBuffer(CL_MEM_READ_WRITE, int64_t{kCopyItems} * 16);
  if (!x.ok()) return x.status();
  Result<ClBuffer> y = device.MakeBuffer(CL_MEM_READ_WRITE, int64_t{kCopyItems} * 16);
  if (!y.ok()) return y.status();
  const cl_mem from = x->get(), to = y->get();

  Result<ClKernel> sums = MakeKernel(device, program.get(), "sums");
  if (!sums.ok()) return sums.status();
  MCPRUNER_RETURN_IF_ERROR(SetArgs(api, sums->get(), 0, to, 0.5f, 1.0f));
  const auto sum_time = FastestLaunch(device, {std::move(*sums), LinearRange(kSumItems, kLanes), "sums"});
  if (!sum_time.ok()) return sum_time.status();
  Result<ClKernel> copy = MakeKernel(device, program.get(), "copy");
  if (!copy.ok()) return copy.status();
  MCPRUNER_RETURN_IF_ERROR(SetArgs(api, copy->get(), 0, from, to));
  const auto copy_time = FastestLaunch(device, {std::move(*copy), LinearRange(kCopyItems, kLanes), "copy"});
  if (!copy_time.ok()) return copy_time.status();
  return Limits{2.0 * kChains * kRounds * kSumItems / *sum_time, 32.0 * kCopyItems / *copy_time};
}

}  // namespace mcpruner::opencl
