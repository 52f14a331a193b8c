#include "delegate/graph/shapes.h"

#include <algorithm>
#include <array>
#include <string>

namespace mcpruner {
namespace {

using Dims = std::array<int64_t, 4>;  // N, H, W, C; wide enough for sums and products of checked numbers

Dims ToDims(const Shape& s) { return {s.n, s.h, s.w, s.c}; }

Result<Shape> FromDims(const Dims& dims) {
  int64_t elements = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return Status::Error("expected dimensions of at least 0, got " + std::to_string(dim));
    // Neither factor is above kMaxElements here, so the product fits.
    if (dim > kMaxElements || elements * std::max<int64_t>(dim, 1) > kMaxElements) {
      return Status::Error("a tensor would have more than " + std::to_string(kMaxElements) + " elements");
    }
    elements *= std::max<int64_t>(dim, 1);
  }
  return Shape{static_cast<int>(dims[0]), static_cast<int>(dims[1]), static_cast<int>(dims[2]),
               static_cast<int>(dims[3])};
}

Status CheckExtent(const char* what, int kernel, int stride, int dilation, int before, int after) {
  const auto bad = [&](const std::string& rule) { return Status::Error(std::string(what) + ": " + rule); };
  if (kernel < 1 || stride < 1 || dilation < 1) return bad("expected a filter size, stride and dilation of at least 1");
  if (before < 0 || after < 0) return bad("expected padding of at least 0");
  if (stride > kMaxWindow || before > kMaxWindow || after > kMaxWindow ||
      int64_t{kernel - 1} * dilation + 1 > kMaxWindow) {
    return bad("stride, padding or dilated filter size is above " + std::to_string(kMaxWindow));
  }
  return Status::Ok();
}

Status CheckWindow(const Window& w, int kernel_height, int kernel_width) {
  const Padding2D& p = w.padding;
  MCPRUNER_RETURN_IF_ERROR(CheckExtent("rows", kernel_height, w.stride_h, w.dilation_h, p.top, p.bottom));
  return CheckExtent("columns", kernel_width, w.stride_w, w.dilation_w, p.left, p.right);
}

Dims WindowDims(const Shape& x, const Window& w, int kernel_height, int kernel_width, int64_t channels) {
  const Padding2D& p = w.padding;
  return {x.n, WindowOutput(x.h, kernel_height, w.stride_h, w.dilation_h, p.top, p.bottom),
          WindowOutput(x.w, kernel_width, w.stride_w, w.dilation_w, p.left, p.right), channels};
}

Status CheckChannels(int64_t expected, int64_t got) {
  if (expected == got) return Status::Ok();
  return Status::Error("the weights expect " + std::to_string(expected) + " input channels, the input has " +
                       std::to_string(got));
}

// `residual` is null, or the second input of a fused convolution.
Result<Shape> ConvShape(const Shape& x, const Shape* residual, const ConvParams& params) {
  if (params.layer == nullptr) return Status::Error("expected a layer of weights, got none");
  const SparseLayer& layer = *params.layer;
  MCPRUNER_RETURN_IF_ERROR(CheckWindow(params.window, layer.kernel_height, layer.kernel_width));
  MCPRUNER_RETURN_IF_ERROR(CheckChannels(layer.in_channels, x.c));
  const Result<Shape> out =
      FromDims(WindowDims(x, params.window, layer.kernel_height, layer.kernel_width, layer.out_channels));
  if (out.ok() && residual != nullptr && *residual != *out) {
    return Status::Error("expected a residual of the output's shape " + ShapeText(*out) + ", got " +
                         ShapeText(*residual));
  }
  return out;
}

Result<Shape> DepthwiseShape(const Shape& x, const DepthwiseParams& p) {
  MCPRUNER_RETURN_IF_ERROR(CheckWindow(p.window, p.kernel_height, p.kernel_width));
  if (p.multiplier < 1) return Status::Error("expected a depth multiplier of at least 1");
  const int64_t channels = int64_t{x.c} * p.multiplier;
  const Result<Shape> out = FromDims(WindowDims(x, p.window, p.kernel_height, p.kernel_width, channels));
  if (!out.ok()) return out;
  const int64_t weights = int64_t{p.kernel_height} * p.kernel_width * channels;
  if (p.weights == nullptr || static_cast<int64_t>(p.weights->size()) != weights) {
    return Status::Error("expected " + std::to_string(weights) + " depthwise weights, got " +
                         std::to_string(p.weights == nullptr ? 0 : p.weights->size()));
  }
  if (p.bias == nullptr || static_cast<int64_t>(p.bias->size()) != channels) {
    return Status::Error("expected " + std::to_string(channels) + " biases, got " +
                         std::to_string(p.bias == nullptr ? 0 : p.bias->size()));
  }
  return out;
}

Result<Shape> FullyConnectedShape(const Shape& x, const FullyConnectedParams& params) {
  if (params.layer == nullptr) return Status::Error("expected a layer of weights, got none");
  const SparseLayer& layer = *params.layer;
  if (layer.kernel_height != 1 || layer.kernel_width != 1 || layer.in_channels < 1) {
    return Status::Error("expected a layer with a 1x1 kernel and input channels");
  }
  if (x.size() % layer.in_channels != 0) {
    return Status::Error("the input's " + std::to_string(x.size()) + " elements are no whole rows of " +
                         std::to_string(layer.in_channels));
  }
  return FromDims({x.size() / layer.in_channels, 1, 1, layer.out_channels});
}

Result<Shape> BinaryShape(const Shape& a, const Shape& b) {
  const Dims da = ToDims(a), db = ToDims(b);
  Dims out{};
  for (size_t i = 0; i < 4; ++i) {
    if (da[i] != db[i] && da[i] != 1 && db[i] != 1) {
      return Status::Error(ShapeText(a) + " and " + ShapeText(b) + " do not broadcast");
    }
    out[i] = da[i] == 1 ? db[i] : da[i];
  }
  return FromDims(out);
}

Result<Shape> PoolShape(const Shape& x, const PoolParams& p) {
  MCPRUNER_RETURN_IF_ERROR(CheckWindow(p.window, p.filter_height, p.filter_width));
  if (p.window.dilation_h != 1 || p.window.dilation_w != 1) return Status::Error("expected a pool without dilation");
  const Padding2D& pad = p.window.padding;
  const Dims out = WindowDims(x, p.window, p.filter_height, p.filter_width, x.c);
  // Every window must cover an element: neither the largest nor the average of nothing has a meaning.
  if (pad.top >= p.filter_height || pad.bottom >= p.filter_height || pad.left >= p.filter_width ||
      pad.right >= p.filter_width || (x.h == 0 && out[1] > 0) || (x.w == 0 && out[2] > 0)) {
    return Status::Error("a pool window lies in the padding only");
  }
  return FromDims(out);
}

Result<Shape> ReduceShape(const Shape& x, const ReduceParams& p) {
  if (!p.rows && !p.columns && !p.channels) return Status::Error("expected a dimension to reduce");
  if (p.rows && p.channels) return Status::Error("expected rows or channels to reduce, got both");
  const Shape out = ReducedShape(p, x);
  return FromDims(ToDims(out));
}

Result<Shape> NormalizeShape(const Shape& x, const Shape& scale, const Shape& shift, const NormalizeParams& p) {
  if (p.group < 1 || x.c % p.group != 0) {
    return Status::Error("expected groups of channels that divide " + std::to_string(x.c) + ", got " +
                         std::to_string(p.group));
  }
  const Shape per_channel{1, 1, 1, x.c};
  if (scale == per_channel && shift == per_channel) return x;
  return Status::Error("expected a scale and a shift of shape " + ShapeText(per_channel) + ", got " + ShapeText(scale) +
                       " and " + ShapeText(shift));
}

Result<Shape> ResizeShape(const Shape& x, const ResizeParams& p) {
  if (p.height < 1 || p.width < 1) return Status::Error("expected a new height and width of at least 1");
  if (x.h < 1 || x.w < 1) return Status::Error("an image without pixels cannot be resized");
  return FromDims({x.n, p.height, p.width, x.c});
}

Result<Shape> DepthToSpaceShape(const Shape& x, const DepthToSpaceParams& p) {
  if (p.block_height < 1 || p.block_width < 1) return Status::Error("expected blocks of at least one pixel");
  if (p.crop_bottom < 0 || p.crop_bottom >= p.block_height || p.crop_right < 0 || p.crop_right >= p.block_width) {
    return Status::Error("expected less than a block to be cropped");
  }
  const int64_t pixels = int64_t{p.block_height} * p.block_width;
  if (x.c % pixels != 0) {
    return Status::Error("the input's " + std::to_string(x.c) + " channels do not fill blocks of " +
                         std::to_string(p.block_height) + " x " + std::to_string(p.block_width) + " pixels");
  }
  const int64_t rows = int64_t{x.h} * p.block_height, columns = int64_t{x.w} * p.block_width;
  return FromDims(
      {x.n, std::max<int64_t>(0, rows - p.crop_bottom), std::max<int64_t>(0, columns - p.crop_right), x.c / pixels});
}

Result<Shape> SpaceToDepthShape(const Shape& x, const SpaceToDepthParams& p) {
  const int64_t size = p.block_size;
  if (size < 1) return Status::Error("expected blocks of at least one pixel");
  if (x.h % size != 0 || x.w % size != 0) {
    return Status::Error("the input " + ShapeText(x) + " is not made of blocks of " + std::to_string(size) + " x " +
                         std::to_string(size) + " pixels");
  }
  // An axis of no pixels says nothing about the size of blocks, so their channels are bounded before they are counted.
  if (size > kMaxElements / size) return Status::Error("its blocks have too many pixels");
  return FromDims({x.n, x.h / size, x.w / size, std::min(x.c * size * size, kMaxElements + 1)});
}

Result<Shape> PadShape(const Shape& x, const PadParams& p) {
  Dims out = ToDims(x);
  for (size_t i = 0; i < 4; ++i) {
    if (p.before[i] < 0 || p.after[i] < 0) return Status::Error("expected padding of at least 0");
    out[i] += int64_t{p.before[i]} + p.after[i];
  }
  return FromDims(out);
}

Result<Shape> MirrorPadShape(const Shape& x, const MirrorPadParams& p) {
  Dims out = ToDims(x);
  for (size_t i = 0; i < 4; ++i) {
    const int64_t most = std::max<int64_t>(0, p.with_edge ? out[i] : out[i] - 1);
    if (p.before[i] < 0 || p.after[i] < 0 || std::max(p.before[i], p.after[i]) > most) {
      return Status::Error("expected mirror padding of 0 to " + std::to_string(most) + " for a size of " +
                           std::to_string(out[i]) + ", got " + std::to_string(p.before[i]) + " and " +
                           std::to_string(p.after[i]));
    }
    out[i] += int64_t{p.before[i]} + p.after[i];
  }
  return FromDims(out);
}

Result<Shape> ConcatShape(const Graph& graph, const Op& op, const ConcatParams& p) {
  if (p.axis < 0 || p.axis > 3) return Status::Error("expected an axis of 0..3, got " + std::to_string(p.axis));
  const size_t axis = static_cast<size_t>(p.axis);
  Dims out = ToDims(graph.tensor(op.inputs[0]).shape);
  for (size_t k = 1; k < op.inputs.size(); ++k) {
    const Dims part = ToDims(graph.tensor(op.inputs[k]).shape);
    for (size_t i = 0; i < 4; ++i) {
      if (i == axis) {
        out[i] += part[i];
      } else if (out[i] != part[i]) {
        return Status::Error("inputs differ outside of axis " + std::to_string(p.axis));
      }
    }
  }
  return FromDims(out);
}

Result<Shape> SliceShape(const Shape& x, const StridedSliceParams& p) {
  const Dims in = ToDims(x);
  for (size_t i = 0; i < 4; ++i) {
    if (p.begin[i] < 0 || p.size[i] < 0 || p.stride[i] == 0) {
      return Status::Error("expected begin and size of at least 0 and strides other than 0");
    }
    const int64_t last = p.begin[i] + int64_t{p.size[i] - 1} * p.stride[i];
    if (p.size[i] > 0 && (std::max<int64_t>(p.begin[i], last) >= in[i] || last < 0)) {
      return Status::Error("the slice leaves its input " + ShapeText(x));
    }
  }
  return FromDims({p.size[0], p.size[1], p.size[2], p.size[3]});
}

Result<Shape> TransposeShape(const Shape& x, const TransposeParams& p) {
  constexpr std::array<int, 4> kOnce{0, 1, 2, 3};
  if (!std::is_permutation(kOnce.begin(), kOnce.end(), p.order.begin())) {
    return Status::Error("expected an order of four dimensions, each of them once");
  }
  const Dims in = ToDims(x);
  Dims out{};
  for (size_t i = 0; i < 4; ++i) out[i] = in[static_cast<size_t>(p.order[i])];
  return FromDims(out);
}

Result<Shape> ShuffleShape(const Shape& x, const ShuffleParams& p) {
  if (p.groups >= 1 && x.c % p.groups == 0) return x;
  return Status::Error("expected groups that divide " + std::to_string(x.c) + " channels, got " +
                       std::to_string(p.groups));
}

Result<Shape> ReshapeShape(const Shape& x, const Shape& out) {
  MCPRUNER_RETURN_IF_ERROR(CheckShape(out));
  if (x.size() == out.size()) return out;
  return Status::Error("expected as many elements as the input " + ShapeText(x) + " has, got " + ShapeText(out));
}

// Checks the number of inputs and the kind of parameters, as ops.inc has them for the op's type.
Status CheckArguments(const Op& op) {
  int64_t fewest = 0, most = 0;
  bool has_params = false;
  switch (op.type) {
#define MCPRUNER_OP(name, Params, fewest_inputs, most_inputs, ...) \
  case OpType::k##name:                                            \
    fewest = fewest_inputs, most = most_inputs;                    \
    has_params = std::holds_alternative<Params>(op.params);        \
    break;
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
  }
  const auto count = static_cast<int64_t>(op.inputs.size());
  if (count < fewest || count > most) {
    return Status::Error("expected " + std::to_string(fewest) + (fewest == most ? "" : " or more") + " inputs, got " +
                         std::to_string(count));
  }
  return has_params ? Status::Ok() : Status::Error("its parameters are those of another op");
}

// The op's number of inputs and its parameters have been checked; `x` is the shape of its first input.
Result<Shape> ShapeOfChecked(const Graph& graph, const Op& op, const Shape& x) {
  const auto shape_of = [&](size_t i) -> const Shape& { return graph.tensor(op.inputs[i]).shape; };
  switch (op.type) {
    case OpType::kConv:
      return ConvShape(x, op.inputs.size() > 1 ? &shape_of(1) : nullptr, std::get<ConvParams>(op.params));
    case OpType::kDepthwiseConv:
      return DepthwiseShape(x, std::get<DepthwiseParams>(op.params));
    case OpType::kFullyConnected:
      return FullyConnectedShape(x, std::get<FullyConnectedParams>(op.params));
#define MCPRUNER_BINARY(name, ...) case OpType::k##name:
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
      return BinaryShape(x, shape_of(1));
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return PoolShape(x, std::get<PoolParams>(op.params));
    case OpType::kResizeBilinear:
    case OpType::kResizeNearest:
      return ResizeShape(x, std::get<ResizeParams>(op.params));
    case OpType::kDepthToSpace:
      return DepthToSpaceShape(x, std::get<DepthToSpaceParams>(op.params));
    case OpType::kSpaceToDepth:
      return SpaceToDepthShape(x, std::get<SpaceToDepthParams>(op.params));
#define MCPRUNER_REDUCE(name) case OpType::k##name:
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
      return ReduceShape(x, std::get<ReduceParams>(op.params));
    case OpType::kNormalize:
      return NormalizeShape(x, shape_of(1), shape_of(2), std::get<NormalizeParams>(op.params));
    case OpType::kPad:
      return PadShape(x, std::get<PadParams>(op.params));
    case OpType::kMirrorPad:
      return MirrorPadShape(x, std::get<MirrorPadParams>(op.params));
    case OpType::kConcat:
      return ConcatShape(graph, op, std::get<ConcatParams>(op.params));
    case OpType::kUnary:
    case OpType::kSoftmax:
      return x;
    case OpType::kReshape:
      return ReshapeShape(x, graph.tensor(op.output).shape);
    case OpType::kTranspose:
      return TransposeShape(x, std::get<TransposeParams>(op.params));
    case OpType::kShuffle:
      return ShuffleShape(x, std::get<ShuffleParams>(op.params));
    case OpType::kStridedSlice:
      return SliceShape(x, std::get<StridedSliceParams>(op.params));
  }
  return Status::Error("unknown op type");
}

}  // namespace

std::string ShapeText(const Shape& s) {
  return "[" + std::to_string(s.n) + ", " + std::to_string(s.h) + ", " + std::to_string(s.w) + ", " +
         std::to_string(s.c) + "]";
}

Shape ReducedShape(const ReduceParams& params, const Shape& in) {
  return {in.n, params.rows ? 1 : in.h, params.columns ? 1 : in.w, params.channels ? 1 : in.c};
}

int64_t ReducedElements(const ReduceParams& params, const Shape& in) {
  return int64_t{params.rows ? in.h : 1} * (params.columns ? in.w : 1) * (params.channels ? in.c : 1);
}

Status CheckShape(const Shape& shape) { return FromDims(ToDims(shape)).status(); }

Result<Shape> OutputShape(const Graph& graph, const Op& op) {
  MCPRUNER_RETURN_IF_ERROR(CheckArguments(op));
  return ShapeOfChecked(graph, op, graph.tensor(op.inputs[0]).shape);
}

}  // namespace mcpruner
