// These tests lower node plans of unusual ranks and sizes, and compare the graphs' numbers with loops over TFLite's
// dimensions. tests/e2e/test_odd_models.py compares what the real runtimes make of such models.

#include "delegate/tflite/lower/lower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/weights/nonzeros.h"
#include "delegate/tflite/lower/testing/run_node.h"
#include "delegate/tflite/parse/transposed_conv.h"

namespace mcpruner {
namespace {

TEST(Lower, BinaryOpsBroadcastAnyRanksBothWays) {
  const std::vector<std::vector<Dims>> cases = {
      {{2, 3, 4, 5}, {4, 5}, {2, 3, 4, 5}},
      {{4, 5}, {3, 4, 5}, {3, 4, 5}},
      {{3, 1, 5}, {2, 1, 4, 1}, {2, 3, 4, 5}},
      {{5}, {2, 3, 2, 4, 5}, {2, 3, 2, 4, 5}},
      {{}, {2, 3, 2, 4, 5}, {2, 3, 2, 4, 5}},
      {{2, 3, 2, 4, 1}, {2, 3, 2, 4, 5}, {2, 3, 2, 4, 5}},
      {{2, 1, 2, 1, 5}, {1, 3, 1, 4, 1}, {2, 3, 2, 4, 5}},
      {{2, 1, 2, 1, 5, 1}, {1, 3, 1, 4, 1, 2}, {2, 3, 2, 4, 5, 2}},
      {{3, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1}, {2, 3, 2, 2, 2, 2}},
      {{0, 1, 2, 1, 5}, {1, 3, 1, 4, 1}, {0, 3, 2, 4, 5}},
  };
  for (const std::vector<Dims>& dims : cases) {
    SCOPED_TRACE(DimsText(dims[0]) + " " + DimsText(dims[1]));
    const Output output = RunNode(Plan(OpType::kSub), {dims[0], dims[1]});
    EXPECT_EQ(output.error, "");
    EXPECT_EQ(output.dims, dims[2]);
    const std::vector<float> a = Iota(dims[0], 0), b = Iota(dims[1], 100);
    std::vector<float> want;
    ForEach(dims[2], [&](const Dims& at) { want.push_back(a[Offset(dims[0], at)] - b[Offset(dims[1], at)]); });
    EXPECT_EQ(output.values, want);
  }
  EXPECT_EQ(RunNode(Plan(OpType::kAdd), {{2, 3}, {2, 4}}).error, "Add 'y': [2, 3] and [2, 4] do not broadcast");
}

std::shared_ptr<const SparseLayer> LayerOf(LayerKind kind, const DenseShape& shape, const std::vector<float>& weights,
                                           const std::vector<float>& bias) {
  return std::make_shared<const SparseLayer>(*SparseLayerFromDense(kind, shape, weights, bias, 4));
}

TEST(Lower, FullyConnectedLayersReadRowsOfAnyRank) {
  NodePlan plan = Plan(OpType::kFullyConnected);
  plan.params = FullyConnectedParams{LayerOf(LayerKind::kFullyConnected, {2, 1, 1, 2}, {1, 1, 1, -1}, {0, 10})};
  plan.deferred = KeepRank{};
  for (const Dims& dims : {Dims{2}, Dims{3, 2}, Dims{3, 1, 2}, Dims{1, 3, 1, 1, 1, 2}}) {
    const Output output = RunNode(plan, {dims});
    EXPECT_EQ(output.dims, dims);
    for (size_t row = 0; row < output.values.size() / 2; ++row) {
      EXPECT_EQ(output.values[2 * row], static_cast<float>(4 * row + 1));
      EXPECT_EQ(output.values[2 * row + 1], 9.0f);
    }
  }
}

// Of 3 pixels and more the layer is a convolution, which keeps the map's layout; the values are those of rows.
TEST(Lower, FullyConnectedLayersOverMapsAreConvolutions) {
  NodePlan plan = Plan(OpType::kFullyConnected);
  plan.params =
      FullyConnectedParams{LayerOf(LayerKind::kFullyConnected, {3, 1, 1, 2}, {1, 1, 1, -1, 2, 0}, {0, 10, 5})};
  plan.deferred = KeepRank{};
  plan.activation = Activation::kRelu6;
  for (const Dims& dims : {Dims{1, 2, 2}, Dims{2, 3, 2}, Dims{1, 1, 17, 2}, Dims{2, 5, 7, 2}, Dims{1, 33, 1, 2},
                           Dims{0, 3, 3, 2}, Dims{1, 3, 0, 2}}) {
    SCOPED_TRACE(DimsText(dims));
    const Output output = RunNode(plan, {dims});
    EXPECT_EQ(output.error, "");
    Dims out = dims;
    out.back() = 3;
    EXPECT_EQ(output.dims, out);
    std::vector<float> want;
    for (int64_t row = 0; row < Count(dims) / 2; ++row) {
      const float sums[3] = {static_cast<float>(4 * row + 1), 9.0f, static_cast<float>(4 * row + 5)};
      for (const float sum : sums) want.push_back(std::min(sum, 6.0f));
    }
    EXPECT_EQ(output.values, want);
  }
}

// Returns the types of the ops that a partition of these nodes is after fusion.
std::vector<OpType> OpTypes(const std::vector<NodePlan>& nodes, int output, const Dims& input) {
  Result<BuiltGraph> built = BuildGraph(nodes, {output}, [&](int) { return input; });
  EXPECT_TRUE(built.ok()) << built.message();
  EXPECT_EQ(FuseGraph(&built->graph).message(), "");
  EXPECT_EQ(ValidateGraph(built->graph).message(), "");
  std::vector<OpType> types;
  for (const Op& op : built->graph.ops) types.push_back(op.type);
  return types;
}

NodePlan ReshapeOf(int input, int output, const Dims& dims) {
  NodePlan plan = Plan(OpType::kReshape);
  plan.inputs = {Operand{input, nullptr, {}}};
  plan.output = output;
  plan.deferred = NewShape{dims};
  return plan;
}

// TensorFlow's converter writes an einsum over channels as rows that are made of a map, and a map that is made of them.
TEST(Lower, ReshapesAroundFullyConnectedLayersVanish) {
  NodePlan dense = Plan(OpType::kFullyConnected);
  dense.params = FullyConnectedParams{LayerOf(LayerKind::kFullyConnected, {3, 1, 1, 2}, {1, 1, 1, -1, 2, 0}, {})};
  dense.inputs = {Operand{1, nullptr, {}}};
  dense.output = 2;
  NodePlan after = Plan(OpType::kUnary);
  after.params = UnaryParams{UnaryFunction::kTanh};
  after.inputs = {Operand{3, nullptr, {}}};
  after.output = 4;
  const auto types = [&](const Dims& input, const Dims& rows, const Dims& map) {
    return OpTypes({ReshapeOf(0, 1, rows), dense, ReshapeOf(2, 3, map), after}, 4, input);
  };
  constexpr OpType kDense = OpType::kFullyConnected, kReshape = OpType::kReshape, kUnary = OpType::kUnary;
  EXPECT_EQ(types({2, 3, 5, 2}, {-1, 2}, {2, 3, 5, 3}), (std::vector<OpType>{OpType::kConv, kUnary}));
  EXPECT_EQ(types({2, 1, 2, 2}, {-1, 2}, {2, 1, 2, 3}), (std::vector<OpType>{kReshape, kDense, kReshape, kUnary}));
  // The rows are no pixels of this map.
  EXPECT_EQ(types({1, 3, 5, 4}, {-1, 2}, {1, 3, 10, 3}), (std::vector<OpType>{kReshape, kDense, kReshape, kUnary}));
}

TEST(Lower, FullyConnectedLayersOverMapsHaveFloatValues) {
  auto layer = std::make_shared<SparseLayer>(*SparseLayerFromDense(
      LayerKind::kFullyConnected, {2, 1, 1, 2}, std::vector<float>{1, 1, 1, -1}, std::vector<float>{0, 10}, 2));
  layer->value_type = ValueType::kInt8;
  layer->values = {};
  layer->narrow.assign({uint8_t{2}, uint8_t{4}, uint8_t{2}, uint8_t{252}});  // by channel: 2, 4 and 2, -4
  layer->scales = {0.5f, 0.25f};
  NodePlan plan = Plan(OpType::kFullyConnected);
  plan.params = FullyConnectedParams{layer};
  plan.deferred = KeepRank{};
  EXPECT_EQ(RunNode(plan, {{1, 3, 2}}).values, (std::vector<float>{1, 9, 5, 9, 9, 9}));
  EXPECT_EQ(RunNode(plan, {{1, 2, 2}}).values, (std::vector<float>{1, 9, 5, 9}));
}

// TFLite's kernel takes the whole rows that the elements make and drops the rest.
TEST(Lower, FullyConnectedLayersDropWhatIsNoWholeRow) {
  NodePlan plan = Plan(OpType::kFullyConnected);
  plan.params = FullyConnectedParams{LayerOf(LayerKind::kFullyConnected, {2, 1, 1, 2}, {1, 1, 1, -1}, {0, 10})};
  for (const Dims& dims : {Dims{2, 1, 1}, Dims{1}, Dims{5}, Dims{3, 3}, Dims{3, 1, 3}, Dims{3, 5, 7, 1, 9}, Dims{0}}) {
    const Output output = RunNode(plan, {dims});
    const int rows = static_cast<int>(Count(dims) / 2);
    EXPECT_EQ(output.error, "");
    EXPECT_EQ(output.dims, (Dims{rows, 2}));
    for (size_t row = 0; row < output.values.size() / 2; ++row) {
      EXPECT_EQ(output.values[2 * row], static_cast<float>(4 * row + 1));
      EXPECT_EQ(output.values[2 * row + 1], 9.0f);
    }
  }
  plan.deferred = KeepRank{};
  EXPECT_EQ(RunNode(plan, {{3, 3}}).error,
            "FullyConnected 'y': expected an input whose last dimension is 2, got [3, 3]");
}

// There are two groups: filter 0 sums channels 0 and 1, filter 1 sums channels 2 and 3.
TEST(Lower, ConvolutionsOfTooManyChannelsAreGrouped) {
  NodePlan plan = Plan(OpType::kConv);
  plan.params = ConvParams{Window(), LayerOf(LayerKind::kConv2D, {2, 1, 1, 2}, {1, 1, 1, 10}, {0, 1000})};
  plan.activation = Activation::kRelu;
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 2}}).values, (std::vector<float>{1, 1010, 5, 1032}));
  const Output grouped = RunNode(plan, {{1, 1, 2, 4}});
  EXPECT_EQ(grouped.dims, (Dims{1, 1, 2, 2}));
  EXPECT_EQ(grouped.values, (std::vector<float>{1, 1032, 9, 1076}));
  // The layer that is made for the channels of the file is taken where they are the input's.
  plan.grouped = LayerOf(LayerKind::kConv2D, {2, 1, 1, 4}, {1, 1, 0, 0, 0, 0, 2, 2}, {0, 0});
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 4}}).values, (std::vector<float>{1, 10, 9, 26}));
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 2}}).values, (std::vector<float>{1, 1010, 5, 1032}));
  const std::string other = "Conv 'y': the weights expect 2 input channels, the input has ";
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 3}}).error, other + "3");
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 6}}).error, other + "6");
  EXPECT_EQ(RunNode(plan, {{1, 2, 4}}).error, "Conv 'y': expected an input of 4 dimensions, got 3");
}

// A TRANSPOSE_CONV in the loops of TFLite's own kernel: each element of the input is spread over the output.
struct Transposed {
  Dims in, out, filter;  // [n, h, w, c], and [filters, h, w, c]
  int stride_h, stride_w;
  bool same;

  static int Before(int in, int out, int kernel, int stride) {
    return std::max(0, (in - 1) * stride + kernel - out) / 2;
  }

  std::vector<float> Spread(const std::vector<float>& x, const std::vector<float>& w) const {
    std::vector<float> y(static_cast<size_t>(Count(out)));
    const int top = Before(in[1], out[1], filter[1], stride_h), left = Before(in[2], out[2], filter[2], stride_w);
    ForEach({in[0], in[1], in[2], in[3], filter[0], filter[1], filter[2]}, [&](const Dims& at) {
      const int row = at[1] * stride_h + at[5] - top, column = at[2] * stride_w + at[6] - left;
      if (row < 0 || row >= out[1] || column < 0 || column >= out[2]) return;
      y[static_cast<size_t>(((at[0] * out[1] + row) * out[2] + column) * out[3] + at[4])] +=
          x[static_cast<size_t>(((at[0] * in[1] + at[1]) * in[2] + at[2]) * in[3] + at[3])] *
          w[static_cast<size_t>(((at[4] * filter[1] + at[5]) * filter[2] + at[6]) * filter[3] + at[3])];
    });
    return y;
  }

  NodePlan Plan(const std::vector<float>& weights) const {
    const auto rows = MakeTransposedAxis(out[1], filter[1], stride_h, same);
    const auto columns = MakeTransposedAxis(out[2], filter[2], stride_w, same);
    EXPECT_EQ(rows->in, in[1]);
    EXPECT_EQ(columns->in, in[2]);
    const DenseShape shape{stride_h * stride_w * filter[0], rows->taps, columns->taps, filter[3]};
    const auto filters = PhaseFilters(weights, filter[0], filter[3], *rows, *columns);
    const auto dense = SparseLayerFromDense(LayerKind::kConv2D, shape, *filters, {}, 4);
    Window window;
    window.padding = {rows->PaddingBefore(), rows->PaddingAfter(), columns->PaddingBefore(), columns->PaddingAfter()};
    NodePlan plan;
    plan.type = OpType::kConv;
    plan.params = ConvParams{window, std::make_shared<const SparseLayer>(WithoutZeros(*dense))};
    plan.deferred = PixelBlocks{
        in, out, {stride_h, stride_w, rows->blocks * stride_h - out[1], columns->blocks * stride_w - out[2]}};
    return plan;
  }
};

// All numbers are small and whole, so that every order of additions makes the same sum.
TEST(Lower, TransposedConvolutionsOfEverySize) {
  for (const bool same : {false, true}) {
    for (int stride = 1; stride <= 4; ++stride) {
      for (int kernel = 1; kernel <= 5; ++kernel) {
        for (int in = 1; in <= 4; ++in) {
          // All outputs that TFLite makes of so many elements.
          for (int rest = 0; rest < stride; ++rest) {
            const int out = same ? in * stride - rest : (in - 1) * stride + kernel + rest;
            SCOPED_TRACE(std::to_string(same) + " " + std::to_string(stride) + " " + std::to_string(kernel) + " " +
                         std::to_string(in) + " " + std::to_string(out));
            // Columns have another kernel, stride and size than rows.
            const int columns = same ? 3 * 3 : 2 * 3 + 4;
            const Transposed conv{{2, in, 3, 2}, {2, out, columns, 3}, {3, kernel, 4, 2}, stride, 3, same};
            std::vector<float> weights(static_cast<size_t>(Count(conv.filter)));
            for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3;
            const Output got = RunNode(conv.Plan(weights), {conv.in});
            EXPECT_EQ(got.error, "");
            EXPECT_EQ(got.dims, conv.out);
            ASSERT_EQ(got.values, conv.Spread(Iota(conv.in, 0), weights));
          }
        }
      }
    }
  }
}

TEST(Lower, TransposedConvolutionsOfAnyBatch) {
  NodePlan plan = Plan(OpType::kConv);
  plan.params = ConvParams{Window(), LayerOf(LayerKind::kConv2D, {2, 1, 1, 1}, {1, 10}, {})};
  plan.deferred = PixelBlocks{{-1, 1, 2, 1}, {-1, 1, 4, 1}, {1, 2, 0, 0}};
  for (const int batch : {1, 3}) {
    const Output output = RunNode(plan, {{batch, 1, 2, 1}});
    EXPECT_EQ(output.error, "");
    EXPECT_EQ(output.dims, (Dims{batch, 1, 4, 1}));
  }
  EXPECT_EQ(RunNode(plan, {{2, 1, 3, 1}}).error,
            "Conv 'y': expected an input [2, 1, 2, 1] for its output [2, 1, 4, 1], got [2, 1, 3, 1]");
  EXPECT_EQ(RunNode(plan, {{1, 2, 1}}).error,
            "Conv 'y': expected an input [-1, 1, 2, 1] for its output [-1, 1, 4, 1], got [1, 2, 1]");
}

TEST(Lower, TransposedConvolutionsTakeOneSize) {
  const Transposed conv{{1, 2, 2, 1}, {1, 4, 4, 1}, {1, 2, 2, 1}, 2, 2, true};
  EXPECT_EQ(RunNode(conv.Plan({1, 2, 3, 4}), {{1, 3, 2, 1}}).error,
            "Conv 'y': expected an input [1, 2, 2, 1] for its output [1, 4, 4, 1], got [1, 3, 2, 1]");
}

TEST(Lower, DepthwiseMultipliersFollowTheInput) {
  NodePlan plan = Plan(OpType::kDepthwiseConv);
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = 1;
  params.weights = std::make_shared<const std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  params.bias = std::make_shared<const std::vector<float>>(std::vector<float>(4));
  plan.params = params;
  EXPECT_EQ(RunNode(plan, {{1, 1, 1, 4}}).values, (std::vector<float>{0, 2, 6, 12}));
  EXPECT_EQ(RunNode(plan, {{1, 1, 1, 2}}).values, (std::vector<float>{0, 0, 3, 4}));
  EXPECT_EQ(RunNode(plan, {{1, 1, 2, 1}}).values, (std::vector<float>{0, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(RunNode(plan, {{1, 1, 1, 3}}).error, "DepthwiseConv 'y': its 4 filters do not fit an input of 3 channels");
}

TEST(Lower, TensorsThatAreTooLargeAreRefused) {
  const std::string error = "Sub 'y': a tensor would have more than 1073741824 elements";
  EXPECT_EQ(RunNode(Plan(OpType::kSub), {{1 << 16, 1, 1, 1, 1}, {1, 1, 1, 1, 1 << 15}}).error, error);
  EXPECT_EQ(RunNode(Plan(OpType::kSub), {{1 << 20, 1 << 20, 1 << 20, 1 << 20, 1}, {1}}).error, error);
  EXPECT_EQ(RunNode(Plan(OpType::kSub), {{1, -1}, {1}}).error, "Sub 'y': a tensor [1, -1] has a negative dimension");
}

}  // namespace
}  // namespace mcpruner
