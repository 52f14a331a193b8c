// NaN and infinity pass through every micro-kernel, in every instruction set, as through the reference. Its meaning is
// TFLite's (tests/e2e/test_not_a_number.py compares it with the runtime).

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kReluN1To1,
                                       Activation::kRelu6};

// About one element of ten is no ordinary number.
std::vector<float> Specials(const Shape& shape) {
  constexpr float kSpecials[] = {NAN, INFINITY, -INFINITY, -0.0f, NAN, 7.0f, -7.0f};
  std::mt19937 rng(1);
  std::vector<float> x = RandomFloats(rng, shape.size());
  for (float& element : x) {
    if (RandomBelow(rng, 10) == 0) element = kSpecials[RandomBelow(rng, 7)];
  }
  return x;
}

// `add(builder, x)` adds an op behind an input.
template <class Function>
void Check(const char* micro_kernel, const Function& add) {
  for (const int width : {1, 5, 8, 16, 37}) {
    SCOPED_TRACE(std::string(micro_kernel) + ", width " + std::to_string(width));
    GraphBuilder b;
    const Shape shape{1, 6, width, 8};
    const Graph graph = b.Finish({add(b, b.Input(shape))});
    ExpectAgreement(graph, Specials(shape), 1e-4f, micro_kernel);
  }
}

TEST(NotANumberTest, Activations) {
  for (const UnaryFunction function : kAllUnaryFunctions) {
    Check("unary", [&](GraphBuilder& b, int x) { return b.Op(OpType::kUnary, {x}, UnaryParams{function, 0.25f}); });
  }
}

TEST(NotANumberTest, ElementByElement) {
  for (const Activation activation : kActivations) {
    for (const OpType type : kAllBinaryOps) {
      if (activation != Activation::kNone && !TakesActivation(type)) continue;
      Check("binary", [&](GraphBuilder& b, int x) { return b.Op(type, {x, x}, {}, activation); });
    }
  }
}

TEST(NotANumberTest, Pools) {
  for (const Activation activation : kActivations) {
    for (const OpType type : {OpType::kMaxPool, OpType::kAveragePool}) {
      for (const int stride : {1, 2, 3}) {
        Check("pool", [&](GraphBuilder& b, int x) {
          return b.Op(type, {x}, PoolParams{{stride, stride, 1, 1, {1, 1, 1, 1}}, 3, 2}, activation);
        });
      }
    }
  }
}

TEST(NotANumberTest, Resizes) {
  for (const OpType type : {OpType::kResizeBilinear, OpType::kResizeNearest}) {
    for (const ResizeParams& params : {ResizeParams{12, 40, false, true}, ResizeParams{11, 9, true, false}}) {
      Check("resize", [&](GraphBuilder& b, int x) { return b.Op(type, {x}, params); });
    }
  }
}

TEST(NotANumberTest, Blocks) {
  for (const Activation activation : kActivations) {
    Check("blocks", [&](GraphBuilder& b, int x) {
      return b.Op(OpType::kDepthToSpace, {x}, DepthToSpaceParams{2, 2}, activation);
    });
  }
  Check("blocks", [](GraphBuilder& b, int x) {
    const int flat = b.Op(OpType::kDepthToSpace, {x}, DepthToSpaceParams{2, 2});
    return b.Op(OpType::kSpaceToDepth, {flat}, SpaceToDepthParams{2});
  });
}

TEST(NotANumberTest, ReductionsAndSoftmax) {
  for (const OpType type : kAllReduceOps) {
    for (const ReduceParams& params : kAllReductions) {
      Check("reduce", [&](GraphBuilder& b, int x) { return b.Op(type, {x}, params); });
    }
  }
  Check("reference", [](GraphBuilder& b, int x) { return b.Op(OpType::kSoftmax, {x}, SoftmaxParams{}); });
}

TEST(NotANumberTest, Normalizations) {
  for (const NormalizeParams& params : {NormalizeParams{true, 4, 1e-3f}, NormalizeParams{false, 8, 1e-3f}}) {
    Check("normalize", [&](GraphBuilder& b, int x) {
      const int ones = b.Constant({1, 1, 1, 8}, std::vector<float>(8, 1.0f));
      return b.Op(OpType::kNormalize, {x, ones, ones}, params, Activation::kRelu6);
    });
  }
}

TEST(NotANumberTest, FusedActivations) {
  std::mt19937 rng(1);
  for (const Activation activation : kActivations) {
    for (const int group_size : {1, 4}) {
      const auto layer = RandomLayer(rng, LayerKind::kConv2D, {6, 3, 3, 8}, group_size, 2, 0.3);
      Check("conv", [&](GraphBuilder& b, int x) {
        return b.Op(OpType::kConv, {x}, ConvParams{{1, 1, 1, 1, {1, 1, 1, 1}}, layer}, activation);
      });
      const auto dense = RandomLayer(rng, LayerKind::kFullyConnected, {6, 1, 1, 8}, group_size, 1, 0.3);
      Check("fully_connected", [&](GraphBuilder& b, int x) {
        return b.Op(OpType::kFullyConnected, {x}, FullyConnectedParams{dense}, activation);
      });
    }
    for (const int kernel : {3, 4}) {
      DepthwiseParams params;
      params.kernel_height = params.kernel_width = kernel;
      params.window.padding = {1, 2, 1, 2};
      params.weights = std::make_shared<const std::vector<float>>(RandomFloats(rng, int64_t{kernel} * kernel * 8));
      params.bias = std::make_shared<const std::vector<float>>(RandomFloats(rng, 8));
      Check("depthwise", [&](GraphBuilder& b, int x) { return b.Op(OpType::kDepthwiseConv, {x}, params, activation); });
    }
  }
}

}  // namespace
}  // namespace mcpruner
