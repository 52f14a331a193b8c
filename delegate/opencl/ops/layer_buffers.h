// AddLayer puts a SparseLayer on the device (packed_layer.h), for the steps that multiply by one.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPS_LAYER_BUFFERS_H_
#define MCPRUNER_DELEGATE_OPENCL_OPS_LAYER_BUFFERS_H_

#include <memory>

#include "delegate/opencl/ops/step.h"
#include "delegate/opencl/plan/packed_layer.h"

namespace mcpruner::opencl {

// LayerBuffers are what the micro-kernels of layers read, in the order of their arguments.
struct LayerBuffers {
  cl_mem parts, displacements, values;
  int num_parts;
};

// Returns the buffers of `layer` with these taps. `step` keeps them alive.
Result<LayerBuffers> AddLayer(const StepContext& context, const std::shared_ptr<const SparseLayer>& layer,
                              const PackedTaps& taps, Step* step);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_OPS_LAYER_BUFFERS_H_
