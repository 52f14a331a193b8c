#include "delegate/opencl/driver/launch.h"

#include <algorithm>

namespace mcpruner::opencl {

Range LinearRange(int64_t items, int lanes, int64_t rows) {
  const auto group = static_cast<size_t>(lanes);
  const auto count = static_cast<size_t>(std::max<int64_t>(items, 1));
  return {{(count + group - 1) / group * group, static_cast<size_t>(rows)}, {group, 1}};
}

Status Enqueue(const OpenClApi& api, cl_command_queue queue, const Launch& launch, cl_event* event) {
  const cl_int error = api.clEnqueueNDRangeKernel(queue, launch.kernel.get(), 2, nullptr, launch.range.global.data(),
                                                  launch.range.local.data(), 0, nullptr, event);
  if (error == CL_SUCCESS) return Status::Ok();
  return ClStatus(error, "launching " + launch.name);
}

}  // namespace mcpruner::opencl
