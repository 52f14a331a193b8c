// The self-check finds out, once before a device is used, whether it computes what it should.
//
// Drivers exist that build every program and give wrong numbers (TensorFlow's issue 28711 is about one for a Mali-G72).
// A small network with every micro-kernel that multiplies runs on the device and on the reference:
//
//     x --conv 3x3--> a --conv 3x3, + a--> --depthwise 3x3, stride 2--> --max pool--> --mean-->
//       --fully connected--> softmax

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_SELF_CHECK_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_SELF_CHECK_H_

#include "delegate/graph/backend.h"

namespace mcpruner::opencl {

// `tolerance` is the largest difference allowed, as a share of the largest output. The error says what was found.
Status SelfCheck(Backend* backend, double tolerance);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_SELF_CHECK_H_
