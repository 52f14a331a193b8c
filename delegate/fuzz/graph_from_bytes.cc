#include "delegate/fuzz/graph_from_bytes.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/op_lists.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

constexpr int kMostOps = 8;
constexpr int64_t kMostElements = 1 << 13;  // of a tensor
constexpr int64_t kMostWork = 1 << 17;      // multiply-adds of the graph
constexpr int kStrides[] = {1, 1, 1, 2, 2, 3, 5, kMaxWindow};
constexpr int kDilations[] = {1, 1, 1, 1, 1, 2, 3, 9};

// Returns the multiply-adds of one op, those with the zeros that micro-kernels skip among them.
int64_t Work(const Graph& graph, const Op& op) {
  const int64_t elements = graph.tensor(op.output).shape.size();
  if (const auto* p = std::get_if<ConvParams>(&op.params)) {
    return elements * p->layer->kernel_height * p->layer->kernel_width * p->layer->in_channels;
  }
  if (const auto* p = std::get_if<DepthwiseParams>(&op.params)) return elements * p->kernel_height * p->kernel_width;
  if (const auto* p = std::get_if<FullyConnectedParams>(&op.params)) return elements * p->layer->in_channels;
  if (const auto* p = std::get_if<PoolParams>(&op.params)) return elements * p->filter_height * p->filter_width;
  return elements + graph.tensor(op.inputs[0]).shape.size();
}

class Maker {
 public:
  explicit Maker(Decisions* decisions) : d_(*decisions), rng_(static_cast<uint32_t>(d_.Below(256))) {}

  Graph Make() {
    Shape shape{1 + d_.Seldom(2, 0), 1 + d_.Below(33), 1 + d_.Below(70), 1 + d_.Below(24)};
    while (shape.size() > kMostElements) {
      shape.h = (shape.h + 1) / 2;
      shape.w = (shape.w + 1) / 2;
    }
    graph_.inputs = {AddTensor(shape)};
    known_ = graph_.inputs;
    for (int i = 0; i < kMostOps && !d_.ended(); ++i) Next();
    graph_.outputs = {known_.back()};
    if (d_.Below(4) == 0) graph_.outputs.push_back(Any());
    return graph_;
  }

 private:
  int AddTensor(const Shape& shape) {
    graph_.tensors.emplace_back();
    graph_.tensors.back().shape = shape;
    return static_cast<int>(graph_.tensors.size()) - 1;
  }
  int AddConstant(const Shape& shape) {
    const int tensor = AddTensor(shape);
    graph_.tensor(tensor).data = Numbers(shape.size());
    return tensor;
  }
  std::shared_ptr<const std::vector<float>> Numbers(int64_t size) {
    return std::make_shared<const std::vector<float>>(RandomFloats(rng_, size));
  }

  int Any() { return known_[static_cast<size_t>(d_.Below(static_cast<int>(known_.size())))]; }
  int Mostly() { return d_.Below(4) > 0 ? known_.back() : Any(); }  // the latest, so that ops are folded and streamed
  const Shape& ShapeOf(int tensor) const { return graph_.tensor(tensor).shape; }

  void Add(OpType type, std::vector<int> inputs, OpParams params, int output = -1) {
    Op op{type, OpTypeName(type), std::move(inputs), output, Activation::kNone, std::move(params)};
    if (TakesActivation(type)) op.activation = static_cast<Activation>(d_.Seldom(4, 0));
    const Result<Shape> shape = OutputShape(graph_, op);
    if (!shape.ok() || shape->size() > kMostElements) return;
    if (op.output < 0) op.output = AddTensor(*shape);
    work_ += Work(graph_, op);
    if (work_ > kMostWork) return;
    known_.push_back(op.output);
    graph_.ops.push_back(std::move(op));
  }

  Window MakeWindow(int kernel_height, int kernel_width) {
    Window window;
    window.stride_h = kStrides[d_.Below(8)];
    window.stride_w = d_.Seldom(4, -1) < 0 ? window.stride_h : kStrides[d_.Below(8)];
    window.dilation_h = kDilations[d_.Below(8)];
    window.dilation_w = d_.Seldom(4, -1) < 0 ? window.dilation_h : kDilations[d_.Below(8)];
    const int rows = (kernel_height - 1) * window.dilation_h / 2, columns = (kernel_width - 1) * window.dilation_w / 2;
    window.padding.top = d_.Seldom(9, rows);
    window.padding.bottom = d_.Seldom(9, rows);
    window.padding.left = d_.Seldom(9, columns);
    window.padding.right = d_.Seldom(9, columns);
    return window;
  }

  std::shared_ptr<const SparseLayer> MakeLayer(LayerKind kind, int in_channels) {
    DenseShape shape;
    shape.in_channels = in_channels;
    shape.out_channels = d_.Below(2) == 0 ? 4 + 4 * d_.Below(8) : 1 + d_.Below(24);
    if (kind == LayerKind::kConv2D) {
      shape.kernel_height = 1 + d_.Seldom(7, 2);
      shape.kernel_width = 1 + d_.Seldom(7, shape.kernel_height - 1);
    }
    const int group_size = 1 << d_.Below(5);
    if (d_.Below(3) == 0) return RandomLayer(rng_, kind, shape, group_size, 0, 1.0);  // dense
    const int patterns = 1 + d_.Below(4);
    const double density = d_.Below(4) * 0.25;
    return RandomLayer(rng_, kind, shape, group_size, patterns, density);
  }

  void Conv(int x) {
    const auto layer = MakeLayer(LayerKind::kConv2D, ShapeOf(x).c);
    Add(OpType::kConv, {x}, ConvParams{MakeWindow(layer->kernel_height, layer->kernel_width), layer});
  }

  void Depthwise(int x) {
    DepthwiseParams p;
    p.kernel_height = 1 + d_.Seldom(7, 2);
    p.kernel_width = 1 + d_.Seldom(7, 2);
    p.window = MakeWindow(p.kernel_height, p.kernel_width);
    p.multiplier = 1 + d_.Seldom(4, 0);
    const int64_t channels = int64_t{ShapeOf(x).c} * p.multiplier;
    p.weights = Numbers(channels * p.kernel_height * p.kernel_width);
    p.bias = Numbers(channels);
    Add(OpType::kDepthwiseConv, {x}, std::move(p));
  }

  void Binary(int x) {
    const OpType type = kAllBinaryOps[std::max(0, d_.Below(kBinaryOpCount + 1) - 1)];  // Add twice as often
    int other = TameOperand(type, 0, Any(), add_unary_);
    x = TameOperand(type, 1, x, add_unary_);
    if (d_.Below(2) == 0) {  // a constant, broadcast along any dimensions
      Shape shape = ShapeOf(x);
      const int ones = d_.Below(16);
      if ((ones & 1) != 0) shape.n = 1;
      if ((ones & 2) != 0) shape.h = 1;
      if ((ones & 4) != 0) shape.w = 1;
      if ((ones & 8) != 0) shape.c = 1;
      other = AddConstant(shape);
    }
    if (type == OpType::kDiv || d_.Below(4) == 0) std::swap(x, other);  // x is far from 0
    Add(type, {x, other}, {});
  }

  void Pool(int x) {
    PoolParams p;
    p.filter_height = 1 + d_.Seldom(6, 1);
    p.filter_width = 1 + d_.Seldom(6, p.filter_height - 1);
    p.window = MakeWindow(p.filter_height, p.filter_width);
    p.window.dilation_h = p.window.dilation_w = 1;
    Add(d_.Below(2) == 0 ? OpType::kMaxPool : OpType::kAveragePool, {x}, p);
  }

  void Resize(int x) {
    const Shape s = ShapeOf(x);
    ResizeParams p;
    p.height = d_.Below(2) == 0 ? 2 * s.h : 1 + d_.Below(33);
    p.width = d_.Below(2) == 0 ? 2 * s.w : 1 + d_.Below(70);
    const int form = d_.Below(8);
    p.align_corners = (form & 1) != 0;
    p.half_pixel_centers = (form & 2) != 0;
    Add((form & 4) != 0 ? OpType::kResizeBilinear : OpType::kResizeNearest, {x}, p);
  }

  void Blocks(int x) {
    if (d_.Below(2) == 0) return Add(OpType::kSpaceToDepth, {x}, SpaceToDepthParams{1 + d_.Below(3)});
    DepthToSpaceParams p;
    p.block_height = 1 + d_.Below(5);
    p.block_width = 1 + d_.Below(5);
    p.crop_bottom = d_.Below(p.block_height);
    p.crop_right = d_.Below(p.block_width);
    Add(OpType::kDepthToSpace, {x}, p);
  }

  void Pad(int x) {
    PadParams p;
    for (size_t i = 0; i < 4; ++i) {
      const int most = i == 1 || i == 2 ? 6 : 2;
      p.before[i] = d_.Seldom(most, most / 6);
      p.after[i] = d_.Seldom(most, most / 6);
    }
    if (d_.Below(4) == 0) p.value = -0.5f;
    Add(OpType::kPad, {x}, p);
  }

  void MirrorPad(int x) {
    MirrorPadParams p;
    for (size_t i = 0; i < 4; ++i) {
      p.before[i] = d_.Seldom(4, i == 1 || i == 2 ? 1 : 0);
      p.after[i] = d_.Seldom(4, i == 1 || i == 2 ? 1 : 0);
    }
    p.with_edge = d_.Below(2) == 0;
    Add(OpType::kMirrorPad, {x}, p);
  }

  void Slice(int x) {
    const Shape s = ShapeOf(x);
    const std::array<int, 4> dims{s.n, s.h, s.w, s.c};
    StridedSliceParams p;
    for (size_t i = 0; i < 4; ++i) {
      if (dims[i] == 0) return;
      p.stride[i] = 1 + d_.Seldom(4, 0);
      p.begin[i] = d_.Seldom(dims[i], 0);
      p.size[i] = (dims[i] - p.begin[i] + p.stride[i] - 1) / p.stride[i];
      if (d_.Seldom(4, -1) == 0) {  // backwards
        p.begin[i] += (p.size[i] - 1) * p.stride[i];
        p.stride[i] = -p.stride[i];
      }
    }
    Add(OpType::kStridedSlice, {x}, p);
  }

  void Reshape(int x) {
    const Shape s = ShapeOf(x);
    const Shape shapes[] = {s, {s.n, s.w, s.h, s.c}, {s.n, s.h, 1, s.w * s.c}, {s.n * s.h, 1, s.w, s.c}};
    const int output = AddTensor(shapes[d_.Below(4)]);
    Add(OpType::kReshape, {x}, {}, output);
  }

  void Reduce(int x) {
    const OpType type = kAllReduceOps[d_.Below(kReduceOpCount)];
    Add(type, {x}, kAllReductions[d_.Below(kReductionCount)]);
  }

  void Transpose(int x) {
    TransposeParams p;
    for (size_t i = 3; i > 0; --i)
      std::swap(p.order[i], p.order[static_cast<size_t>(d_.Below(static_cast<int>(i) + 1))]);
    Add(OpType::kTranspose, {x}, p);
  }

  void Shuffle(int x) {
    const int channels = ShapeOf(x).c, groups = 1 + d_.Below(8);
    Add(OpType::kShuffle, {x}, ShuffleParams{channels % groups == 0 ? groups : 1});
  }

  void Normalize(int x) {
    const int channels = ShapeOf(x).c;
    NormalizeParams p;
    p.over_map = d_.Below(2) == 0;
    p.group = 1 + d_.Below(8);
    if (channels == 0 || channels % p.group != 0) p.group = std::max(channels, 1);
    p.epsilon = 0.1f;
    const int scale = AddConstant({1, 1, 1, channels}), shift = AddConstant({1, 1, 1, channels});
    Add(OpType::kNormalize, {x, scale, shift}, p);
  }

  void Unary(int x) { AddTamed(kAllUnaryFunctions[d_.Below(kUnaryFunctionCount)], x, add_unary_); }

  void Next() {
    const int x = Mostly();
    switch (d_.Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Conv(x);
      case 4:
      case 5:
        return Depthwise(x);
      case 6:
      case 7:
        return Binary(x);
      case 8:
        return Pool(x);
      case 9:
        return d_.Below(4) == 0 ? MirrorPad(x) : Pad(x);
      case 10:
        return Slice(x);
      case 11:
        return Reshape(x);
      case 12: {
        const int other = Any();
        return Add(OpType::kConcat, {x, other, x}, ConcatParams{d_.Below(4)});
      }
      case 13:
        return Add(OpType::kFullyConnected, {x},
                   FullyConnectedParams{MakeLayer(LayerKind::kFullyConnected, ShapeOf(x).c)});
      case 14:
        return Unary(x);
      case 15:
        return Normalize(x);
      case 16:
        return d_.Below(2) == 0 ? Transpose(x) : Shuffle(x);
      case 17:
        return Resize(x);
      case 18:
        return Blocks(x);
      default:
        return d_.Below(2) == 0 ? Reduce(x) : Add(OpType::kSoftmax, {x}, SoftmaxParams{0.5f});
    }
  }

  const std::function<int(UnaryFunction, int)> add_unary_ = [this](UnaryFunction function, int input) {
    Add(OpType::kUnary, {input}, UnaryParams{function, 0.25f});
    return known_.back();
  };
  Decisions& d_;
  std::mt19937 rng_;
  Graph graph_;
  std::vector<int> known_;  // the input and what ops made, in order
  int64_t work_ = 0;
};

}  // namespace

Graph GraphFromBytes(Decisions* decisions) { return Maker(decisions).Make(); }

}  // namespace mcpruner
