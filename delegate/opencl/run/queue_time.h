// QueueTime times launches in a queue that does not run empty: what they cost the device, however long the host takes
// to enqueue them.
//
//     host     enqueues everything      |
//     device   [ hold ..................... ][ launches ][ launches ] ... [ launches ]
//                                           ^ its end     repeats                    ^ end of the last one
//
// The event of a launch that finds the queue empty also counts what the driver does around it: by its own event an
// empty launch takes 5.3 us of an H200, but makes a full queue only 2.5 us longer (docs/opencl.md).

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_QUEUE_TIME_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_QUEUE_TIME_H_

#include <vector>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

// Returns the microseconds that the device takes for all launches of `steps`, as the mean of `repeats`.
Result<double> QueueTime(const DeviceTools& tools, const std::vector<Step>& steps, int repeats);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_QUEUE_TIME_H_
