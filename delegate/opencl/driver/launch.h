// A Launch is one micro-kernel with its arguments and its range: an inference only has to put it into the queue.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_LAUNCH_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_LAUNCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "delegate/opencl/driver/device.h"

namespace mcpruner::opencl {

// A Range is the number of work-items along each dimension, in all and in each work-group. It has only whole
// work-groups.
struct Range {
  std::array<size_t, 2> global{1, 1};
  std::array<size_t, 2> local{1, 1};
};

// Returns a range whose first dimension is `items` rounded up to groups of `lanes`, and whose second is `rows` groups
// of one row.
Range LinearRange(int64_t items, int lanes, int64_t rows = 1);

struct Launch {
  ClKernel kernel;
  Range range;
  std::string name;  // for profiles
};

inline Status SetArgs(const OpenClApi& /*api*/, cl_kernel /*kernel*/, cl_uint /*index*/) { return Status::Ok(); }

// Sets the micro-kernel's arguments from `index` on: cl_mem, numbers, and the structs of plan/args.h.
template <typename T, typename... Rest>
Status SetArgs(const OpenClApi& api, cl_kernel kernel, cl_uint index, const T& value, const Rest&... rest) {
  MCPRUNER_RETURN_IF_ERROR(
      ClStatus(api.clSetKernelArg(kernel, index, sizeof(T), &value), "setting argument " + std::to_string(index)));
  return SetArgs(api, kernel, index + 1, rest...);
}

// Puts the launch into the queue. `event`, if it is not null, receives the launch's event.
Status Enqueue(const OpenClApi& api, cl_command_queue queue, const Launch& launch, cl_event* event);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_LAUNCH_H_
