// Amounts of work of single operators: those of converter/cost/cost_model.py and plain_ops.py, which explain them.

#ifndef MCPRUNER_DELEGATE_COST_AMOUNTS_H_
#define MCPRUNER_DELEGATE_COST_AMOUNTS_H_

#include <optional>
#include <string>
#include <vector>

#include "delegate/cost/cost_table.h"

namespace mcpruner::cost {

// What an operator without weights costs like, and those with weights.
enum class Kind { kWeights, kElementwise, kExponential, kWindow, kReduction, kCopy };
// Returns the kind of one of TFLite's operators by its name in the schema, or nothing where the plugin takes no such
// operator (format/operators.inc).
std::optional<Kind> KindOf(const std::string& name);

enum class LayerType { kConv, kDepthwise, kTransposedConv, kFullyConnected };

// A Geometry is what a layer is and how large its output is. Of a transposed convolution, height and width are those of
// its input. Of a fully-connected layer they are the rows of its input: those of a map, or rows of a batch, which are
// the height, of width 1. The stride is that of the width. Where a convolution has several groups, a filter has the
// weights of its group's channels only.
struct Geometry {
  LayerType type = LayerType::kConv;
  double height = 1.0, width = 1.0, stride = 1.0, groups = 1.0;

  // Returns how many pixels along an axis a pixel of the input becomes, each by weights of its own.
  double phases() const { return type == LayerType::kTransposedConv ? stride : 1.0; }
};
// Returns the geometry of a fully-connected layer whose output has these sizes before its channels.
Geometry RowsGeometry(const std::vector<int>& sizes);

// The shape of weights: OHWI; those of a depthwise layer are 1HWO.
struct WeightShape {
  double filters = 1.0, height = 1.0, width = 1.0, channels = 1.0;
  double size() const { return filters * height * width * channels; }
};

// Counts are what a packed layer holds: stored values (explicit zeros included) and kernels, those of a transposed
// convolution once for each phase that has weights of them.
struct Counts {
  double values = 0.0, kernels = 0.0;
};

Amounts PackedAmounts(const Counts& counts, const WeightShape& shape, double group_size, const Geometry& geometry,
                      const Simd& simd);
// Of a dense layer in our plugin, and in TFLite.
Amounts UnpackedAmounts(const WeightShape& shape, const Geometry& geometry, const Simd& simd);
Amounts TfliteAmounts(const WeightShape& shape, const Geometry& geometry, const Simd& simd);

// PlainAmounts are those of an operator without weights in both runtimes.
struct PlainAmounts {
  Amounts plugin, tflite;
};
// The window that each element of the output is made of, in an operator of kind kWindow.
struct WindowSize {
  double height = 1, width = 1;
};
// `inputs` and `outputs` are the sizes of what it reads and writes.
PlainAmounts AmountsWithoutWeights(Kind kind, const std::vector<std::vector<int>>& inputs,
                                   const std::vector<std::vector<int>>& outputs, const WindowSize& window,
                                   const Simd& simd);

// Of calling the runtime's interpreter, of calling a partition, and of bringing a tensor into its layout or out of it.
Amounts InferenceAmounts();
Amounts PartitionAmounts();
Amounts EdgeAmounts(double elements);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_AMOUNTS_H_
