#include "delegate/opencl/ops/layer_buffers.h"

#include <algorithm>
#include <limits>
#include <string>

namespace mcpruner::opencl {

Result<LayerBuffers> AddLayer(const StepContext& context, const std::shared_ptr<const SparseLayer>& layer,
                              const PackedTaps& taps, Step* step) {
  const DeviceTools& tools = context.tools;
  const auto weights = tools.weights->Get(*tools.device, tools.precision, layer);
  if (!weights.ok()) return weights.status();
  const int64_t values = (*weights)->bytes / ElementBytes(tools.precision);
  if (std::max(values, static_cast<int64_t>(taps.displacements.size())) > std::numeric_limits<int32_t>::max()) {
    return Status::Error("its " + std::to_string(values) + " weights are more than a device's kernels can number");
  }
  step->weights.push_back(*weights);
  const Result<cl_mem> parts = AddTable(*tools.device, taps.parts, step);
  if (!parts.ok()) return parts.status();
  const Result<cl_mem> displacements = AddTable(*tools.device, taps.displacements, step);
  if (!displacements.ok()) return displacements.status();
  return LayerBuffers{*parts, *displacements, (*weights)->buffer.get(), static_cast<int>(taps.parts.size())};
}

}  // namespace mcpruner::opencl
