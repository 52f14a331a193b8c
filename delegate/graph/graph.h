// A Graph is what every backend runs: a list of ops in execution order over numbered tensors.
//
// delegate/tflite builds one from the nodes of a partition, with NHWC shapes as TFLite knows them. The passes in
// fusion.h fold what can be folded (activations, residual adds, explicit pads), and a Backend (backend.h) plans and
// runs the result. Layouts inside a backend are its own affair: at this level every tensor is NHWC.
//
//     tensors  0: input  1: conv out  2: relu out ...      ops  {kConv, in [0], out 1} {kAdd, in [1, 0], out 2} ...
//
// Shapes always have four dimensions. A TFLite tensor of lower rank is [N, C] -> [N, 1, 1, C], [N, W, C] -> [N, 1, W,
// C], [C] -> [1, 1, 1, C]: the meaning of every op here does not depend on the rank. Any dimension may be 0.
//
// Sizes are bounded (limits.h), so that int arithmetic on rows, columns and windows cannot overflow. A tensor has at
// most kMaxElements elements, where a dimension of 0 counts as 1, so this also bounds every dimension and every product
// of some of them. Windows are bounded by kMaxWindow.

#ifndef MCPRUNER_DELEGATE_GRAPH_GRAPH_H_
#define MCPRUNER_DELEGATE_GRAPH_GRAPH_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "delegate/base/limits.h"
#include "delegate/base/status.h"
#include "delegate/graph/binary_function.h"
#include "delegate/graph/reduce_function.h"
#include "delegate/graph/unary_function.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct Shape {
  int n = 0, h = 0, w = 0, c = 0;
  int64_t size() const { return int64_t{n} * h * w * c; }
  // Returns where element (image, row, column, channel) stands in NHWC order.
  int64_t index(int image, int row, int column, int channel) const {
    return ((int64_t{image} * h + row) * w + column) * c + channel;
  }
  bool operator==(const Shape& o) const { return n == o.n && h == o.h && w == o.w && c == o.c; }
  bool operator!=(const Shape& o) const { return !(*this == o); }
};

enum class DataType : uint8_t { kFloat32, kInt8 };  // kInt8 is room for quantized activations; no op takes it yet

// An element is real = scale[channel] * (q - zero_point[channel]). Both have one element if quantized per tensor, none
// for float32.
struct Quantization {
  std::vector<float> scale;
  std::vector<int32_t> zero_point;
};

struct Tensor {
  std::string name;  // that of the TFLite tensor, for profiles and messages
  Shape shape;
  DataType type = DataType::kFloat32;
  Quantization quantization;
  // Holds a constant's elements in NHWC, shape.size() of them, and is null for what is computed.
  std::shared_ptr<const std::vector<float>> data;
};

enum class OpType : uint8_t {
#define MCPRUNER_OP(name, ...) k##name,
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
};
const char* OpTypeName(OpType type);  // "Conv", "DepthwiseConv", ... as profiles print it
// Returns whether ops of this type may have an activation.
bool TakesActivation(OpType type);
// Returns whether ops of this type may have an epilogue.
bool TakesEpilogue(OpType type);
// Returns what ops of this type compute; `type` is one of binary_functions.inc.
BinaryFunction BinaryFunctionOf(OpType type);
// Returns what ops of this type make of many elements; `type` is one of reduce_functions.inc.
ReduceFunction ReduceFunctionOf(OpType type);

enum class Activation : uint8_t { kNone, kRelu, kReluN1To1, kRelu6 };

// A Padding2D is the zeros around a feature map, in rows and columns. TFLite's SAME is resolved to numbers when the
// graph is built.
struct Padding2D {
  int top = 0, bottom = 0, left = 0, right = 0;
};

// A Window says how convolutions and pools slide over a feature map.
struct Window {
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  Padding2D padding;
};

using NoParams = std::monostate;
struct ConvParams {
  Window window;
  // The layer is shared, so that a resize does not pack it again: backends cache its packed form by this pointer.
  std::shared_ptr<const SparseLayer> layer;
};
struct DepthwiseParams {
  Window window;
  int kernel_height = 0, kernel_width = 0;
  int multiplier = 1;                                 // output channel = input channel * multiplier + m
  std::shared_ptr<const std::vector<float>> weights;  // [kernel_height, kernel_width, out_channels]
  std::shared_ptr<const std::vector<float>> bias;     // out_channels
};
struct FullyConnectedParams {
  std::shared_ptr<const SparseLayer> layer;
};
struct PoolParams {
  Window window;  // averages leave padding out of sum and count, as TFLite does
  int filter_height = 0, filter_width = 0;
};
// These are the dimensions that an op of family Reduce takes together: at least one, and not both rows and channels,
// which are two ops.
struct ReduceParams {
  bool rows = true, columns = true, channels = false;
};
struct NormalizeParams {
  bool over_map = false;  // mean and variance are those of the map, else those of each pixel by itself
  int group = 1;          // neighbouring channels that are normalized together
  float epsilon = 0.0f;   // added to the variance
};
struct ResizeParams {
  int height = 0, width = 0;                               // of the output
  bool align_corners = false, half_pixel_centers = false;  // resize_axis.h says what they mean
};
struct DepthToSpaceParams {
  int block_height = 1, block_width = 1;  // pixels that each pixel of the input becomes
  int crop_bottom = 0, crop_right = 0;    // rows and columns that are left out at the ends, less than a block
};
struct SpaceToDepthParams {
  int block_size = 1;
};
struct PadParams {
  std::array<int, 4> before{}, after{};  // N, H, W, C; each at least 0
  float value = 0.0f;
};
struct MirrorPadParams {
  std::array<int, 4> before{}, after{};  // N, H, W, C; each less than the size, or as large with the edge
  bool with_edge = false;                // whether the mirror image begins with the edge itself (mirrored.h)
};
struct ConcatParams {
  int axis = 3;  // 0..3 in NHWC
};
struct TransposeParams {
  std::array<int, 4> order{0, 1, 2, 3};  // dimension i of the output is dimension order[i] of the input, of N, H, W, C
};
struct ShuffleParams {
  int groups = 1;
};
struct UnaryParams {
  UnaryFunction function = UnaryFunction::kRelu;
  float alpha = 0.0f;  // of kLeakyRelu
};
struct SoftmaxParams {
  float beta = 1.0f;
};
struct StridedSliceParams {
  std::array<int, 4> begin{}, size{},
      stride{1, 1, 1, 1};  // N, H, W, C; resolved: size is the output's, strides are not 0
};

using OpParams =
    std::variant<NoParams, ConvParams, DepthwiseParams, FullyConnectedParams, PoolParams, ReduceParams, NormalizeParams,
                 PadParams, MirrorPadParams, ConcatParams, TransposeParams, ShuffleParams, UnaryParams, SoftmaxParams,
                 StridedSliceParams, ResizeParams, DepthToSpaceParams, SpaceToDepthParams>;

// An Epilogue is a function of each element that an op applies to its result, last of all. passes/fold_epilogues.h
// makes them for backends that can run them.
struct Epilogue {
  UnaryParams unary;  // no clamp: these are activations
  // Of a kLeakyRelu that has one for each channel (PRELU); null where unary.alpha is that of all.
  std::shared_ptr<const std::vector<float>> alphas;
};

struct Op {
  OpType type;
  std::string name;  // that of its output tensor in the file, for profiles
  std::vector<int> inputs;
  int output = -1;
  // The activation is applied to the result. With a fused residual this is activation(conv + bias + residual).
  Activation activation = Activation::kNone;
  OpParams params;
  std::optional<Epilogue> epilogue = std::nullopt;  // of what the activation returns
};

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<Op> ops;       // in execution order
  std::vector<int> inputs;   // tensors that the caller fills
  std::vector<int> outputs;  // tensors that the caller reads

  const Tensor& tensor(int i) const { return tensors[static_cast<size_t>(i)]; }
  Tensor& tensor(int i) { return tensors[static_cast<size_t>(i)]; }
};

// Returns the output size of a window along one dimension: floor((in + pads - dilated kernel) / stride) + 1, at least
// 0.
int WindowOutput(int in, int kernel, int stride, int dilation, int pad_before, int pad_after);

// Checks that every op has the inputs, constants and parameters of its type, and that shapes agree (each output's shape
// is what the op makes of its inputs). Backends may rely on all of it. The error names the op.
Status ValidateGraph(const Graph& graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_GRAPH_H_
