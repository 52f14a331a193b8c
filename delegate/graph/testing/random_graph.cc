// This is RandomGraph, which graph_builder.h declares.

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Each decision is a statement of its own, and no call makes two, so that every compiler makes the same graph of a
// seed.
class RandomGraphMaker {
 public:
  explicit RandomGraphMaker(uint32_t seed) : rng_(seed) {}

  Graph Make() {
    tensors_.push_back(builder_.Input({1 + Below(3), 3 + Below(6), 3 + Below(6), 1 + Below(9)}));
    const int ops = 6 + Below(12);
    while (static_cast<int>(tensors_.size()) <= ops) tensors_.push_back(Next());
    std::vector<int> outputs{tensors_.back()};
    if (Below(3) == 0) outputs.push_back(tensors_[static_cast<size_t>(Below(ops))]);
    return builder_.Finish(outputs);
  }

 private:
  int Below(int n) { return RandomBelow(rng_, n); }
  // This mostly picks the latest tensor, so that chains which can be folded come about.
  int Pick() { return Below(4) > 0 ? tensors_.back() : tensors_[static_cast<size_t>(Below(int(tensors_.size())))]; }
  Activation RandomActivation() { return Below(2) == 0 ? Activation::kNone : static_cast<Activation>(Below(4)); }

  int Next() {
    const int x = Pick();
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        return Conv(x);
      case 3:
        return Depthwise(x);
      case 4:
      case 5:
        return Unary(x);
      case 6:
      case 7:
        return Binary(x);
      case 8:
        return Below(4) == 0 ? MirrorPad(x) : Pad(x);
      case 9:
        return Pool(x);
      case 10:
        return Identity(x);
      default:
        return Rare(x);
    }
  }

  // The window keeps the size more often than not, so that adds find equal shapes.
  Window SameWindow(int kernel) {
    Window window;
    const int half = (kernel - 1) / 2;
    window.padding = {half, half, half, half};
    if (Below(4) == 0) window.stride_h = window.stride_w = 2;
    if (Below(4) == 0) window.padding = {1, 2, 0, 1};
    return window;
  }

  int Conv(int x) {
    const int channels = builder_.shape(x).c, kernel = 1 + 2 * Below(2);
    const DenseShape shape{Below(3) == 0 ? 1 + Below(9) : channels, kernel, kernel, channels};
    const int group_size = 1 << Below(5);
    auto layer = RandomLayer(rng_, LayerKind::kConv2D, shape, group_size, 3, 0.6);
    const Window window = SameWindow(kernel);
    return builder_.Op(OpType::kConv, {x}, ConvParams{window, layer}, RandomActivation());
  }

  int Depthwise(int x) {
    DepthwiseParams p;
    p.kernel_height = p.kernel_width = 3;
    p.window = SameWindow(3);
    p.multiplier = 1 + Below(4) / 3;
    const int channels = builder_.shape(x).c * p.multiplier;
    p.weights = std::make_shared<const std::vector<float>>(RandomFloats(rng_, 9 * channels));
    p.bias = std::make_shared<const std::vector<float>>(RandomFloats(rng_, channels));
    return builder_.Op(OpType::kDepthwiseConv, {x}, p, RandomActivation());
  }

  int Binary(int x) {
    const OpType type = Below(3) > 0 ? OpType::kAdd : kAllBinaryOps[1 + Below(kBinaryOpCount - 1)];
    const Activation activation = TakesActivation(type) ? RandomActivation() : Activation::kNone;
    const auto tame = [&](int side, int operand) {
      return TameOperand(type, side, operand, [&](UnaryFunction function, int input) {
        return builder_.Op(OpType::kUnary, {input}, UnaryParams{function});
      });
    };
    const int other = Pick();
    if (builder_.shape(other) == builder_.shape(x)) {
      const int a = tame(0, x), b = tame(1, other);
      return builder_.Op(type, {a, b}, {}, activation);
    }
    const int channels = builder_.shape(x).c;
    const int constant = builder_.Constant({1, 1, 1, channels}, RandomFloats(rng_, channels));
    if (type == OpType::kDiv) return builder_.Op(type, {constant, tame(1, x)}, {}, activation);
    return builder_.Op(type, {tame(0, x), constant}, {}, activation);
  }

  int Unary(int x) {
    const UnaryFunction function = kAllUnaryFunctions[Below(kUnaryFunctionCount)];
    const int y = AddTamed(function, x, [&](UnaryFunction f, int input) {
      return builder_.Op(OpType::kUnary, {input}, UnaryParams{f, 0.25f});
    });
    // This is how TFLite spells SiLU.
    return function == UnaryFunction::kLogistic && Below(2) == 0 ? builder_.Op(OpType::kMul, {x, y}) : y;
  }

  int Pad(int x) {
    PadParams p;
    p.before = {0, Below(3), Below(3), 0};
    p.after = {0, Below(3), Below(3), 0};
    if (Below(4) == 0) p.after[3] = 1;
    if (Below(4) == 0) p.value = 0.5f;
    return builder_.Op(OpType::kPad, {x}, p);
  }

  int MirrorPad(int x) {
    const Shape s = builder_.shape(x);
    if (s.h == 0 || s.w == 0) return Identity(x);  // an image without pixels has no mirror image
    MirrorPadParams p;
    p.with_edge = Below(2) == 0;
    const int edge = p.with_edge ? 1 : 0;
    p.before = {0, Below(std::min(3, s.h + edge)), Below(std::min(3, s.w + edge)), 0};
    p.after = {0, Below(std::min(3, s.h + edge)), Below(std::min(3, s.w + edge)), 0};
    if (Below(4) == 0) p.after[3] = edge;
    return builder_.Op(OpType::kMirrorPad, {x}, p);
  }

  int Pool(int x) {
    const Shape s = builder_.shape(x);
    if (s.h == 0 || s.w == 0) return Identity(x);  // a window that lies in the padding only is an error
    PoolParams p;
    p.filter_height = p.filter_width = 2;
    p.window.padding = {Below(2), 1, 1, Below(2)};
    const OpType type = Below(2) == 0 ? OpType::kMaxPool : OpType::kAveragePool;
    return builder_.Op(type, {x}, p, RandomActivation());
  }

  int Resize(int x) {
    const Shape s = builder_.shape(x);
    if (s.h == 0 || s.w == 0) return Identity(x);  // an image without pixels cannot be resized
    ResizeParams p;
    p.height = Below(2) == 0 ? 2 * s.h : 1 + Below(9);
    p.width = Below(2) == 0 ? 2 * s.w : 1 + Below(9);
    p.height = std::min(p.height, 12);
    p.width = std::min(p.width, 12);
    p.align_corners = Below(2) == 0;
    p.half_pixel_centers = Below(2) == 0;
    return builder_.Op(Below(2) == 0 ? OpType::kResizeBilinear : OpType::kResizeNearest, {x}, p);
  }

  // Pixels become channels where they can, and channels pixels while the image is small.
  int Blocks(int x) {
    const Shape s = builder_.shape(x);
    if (s.h > 2 && s.h % 2 == 0 && s.w % 2 == 0 && s.c < 9) {
      return builder_.Op(OpType::kSpaceToDepth, {x}, SpaceToDepthParams{2});
    }
    DepthToSpaceParams p;
    p.block_height = s.h < 9 && s.c % 2 == 0 ? 2 : 1;
    p.block_width = s.w < 9 && s.c % (2 * p.block_height) == 0 ? 2 : 1;
    p.crop_bottom = Below(p.block_height);
    p.crop_right = Below(p.block_width);
    return builder_.Op(OpType::kDepthToSpace, {x}, p, RandomActivation());
  }

  int Identity(int x) {
    const Shape s = builder_.shape(x);
    if (Below(2) == 0) return builder_.Reshape(x, s);
    StridedSliceParams p;
    p.size = {s.n, s.h, s.w, s.c};
    return builder_.Op(OpType::kStridedSlice, {x}, p);
  }

  int Reduce(int x) {
    if (builder_.shape(x).size() == 0) return Identity(x);  // the least of no elements is infinite, their mean NaN
    const OpType type = kAllReduceOps[Below(kReduceOpCount)];
    const ReduceParams params = kAllReductions[Below(kReductionCount)];
    return builder_.Op(type, {x}, params);
  }

  int Normalize(int x) {
    const int channels = builder_.shape(x).c;
    NormalizeParams p;
    p.over_map = Below(2) == 0;
    p.group = Below(2) == 0 ? 1 : channels;
    p.epsilon = 0.1f;
    const int scale = builder_.Constant({1, 1, 1, channels}, RandomFloats(rng_, channels));
    const int shift = builder_.Constant({1, 1, 1, channels}, RandomFloats(rng_, channels));
    return builder_.Op(OpType::kNormalize, {x, scale, shift}, p, RandomActivation());
  }

  int Transpose(int x) {
    TransposeParams p;
    for (int i = Below(4); i > 0; --i)
      std::swap(p.order[static_cast<size_t>(i)], p.order[static_cast<size_t>(Below(i))]);
    return builder_.Op(OpType::kTranspose, {x}, p);
  }

  int Shuffle(int x) {
    const int channels = builder_.shape(x).c, groups = 1 + Below(4);
    return builder_.Op(OpType::kShuffle, {x}, ShuffleParams{channels % groups == 0 ? groups : 1});
  }

  int Rare(int x) {
    const Shape s = builder_.shape(x);
    switch (Below(10)) {
      case 0:
        return builder_.Op(OpType::kConcat, {x, x}, ConcatParams{Below(4)});
      case 1:
        return builder_.Op(OpType::kSoftmax, {x}, SoftmaxParams{0.5f});
      case 2: {
        if (s.h < 2 || s.w < 2) return Reduce(x);
        StridedSliceParams p;
        p.size = {s.n, (s.h + 1) / 2, (s.w + 1) / 2, s.c};
        p.stride = {1, 2, 2, 1};
        return builder_.Op(OpType::kStridedSlice, {x}, p);
      }
      case 3:
        return Reduce(x);
      case 4:
        return s.c > 0 ? Normalize(x) : Reduce(x);
      case 5:
        return Transpose(x);
      case 6:
        return Shuffle(x);
      case 7:
        return Resize(x);
      case 8:
        return Blocks(x);
      default: {
        auto layer = RandomLayer(rng_, LayerKind::kFullyConnected, {5, 1, 1, s.c}, 4, 1, 0.7);
        return builder_.Op(OpType::kFullyConnected, {x}, FullyConnectedParams{layer}, RandomActivation());
      }
    }
  }

  std::mt19937 rng_;
  GraphBuilder builder_;
  std::vector<int> tensors_;  // inputs and results of ops, in order
};

}  // namespace

Graph RandomGraph(uint32_t seed) { return RandomGraphMaker(seed).Make(); }

}  // namespace mcpruner
