#include "delegate/tflite/run/expanders.h"

#include <gtest/gtest.h>

#include <vector>

#include "delegate/tflite/testing/partition_net.h"
#include "delegate/tflite/testing/sparse_parts.h"

namespace mcpruner {
namespace {

// A Half net is a float16 filter behind DEQUANTIZE (node 0), a convolution and a RELU.
struct Half : Net {
  Half() {
    const uint16_t zero = 0;
    const int half = model.Constant("half", {1, 1, 1, 1}, &zero, sizeof(zero), kTfLiteFloat16);
    filter = model.Tensor("filter", {1, 1, 1, 1});
    model.Node(kTfLiteBuiltinDequantize, {half}, {filter});
    const int y = Image("y");
    model.Node(kTfLiteBuiltinConv2d, {Image("x"), filter, -1}, {y}, &conv);
    model.Output(Unary(kTfLiteBuiltinTanh, y, "tanh"));
  }
  int filter = -1;
};

TEST(Expanders, AreTakenWithTheirReaders) {
  Half net;
  const SubgraphReport report = net.Partition(BackendChoice::kAuto);
  EXPECT_EQ(Taken(report), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(report.nodes[0].reason, "");
  ASSERT_EQ(report.decisions.size(), 1u);
  EXPECT_EQ(report.decisions[0].nodes, (std::vector<int>{1, 2}));  // nothing is decided by an expander
}

TEST(Expanders, StayWhereTheirReadersStay) {
  Half net;
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kAuto, Table(), false)), std::vector<int>());
  cost::CostTable slow = Table();
  slow.nanoseconds.cpu_partition.layer = 1e6;
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kAuto, slow)), std::vector<int>());
}

TEST(Expanders, StayWhereANodeOfTfliteReadsThem) {
  Half net;
  net.model.Node(kTfLiteBuiltinCustom, {net.filter}, {net.model.Tensor("z", {1})});
  const SubgraphReport report = net.Partition(BackendChoice::kCpu);
  EXPECT_EQ(Taken(report), (std::vector<int>{1, 2}));
  EXPECT_EQ(report.nodes[0].reason,
            "DEQUANTIZE stays with TFLite unless it expands a constant for nodes that the delegate takes");
}

TEST(Expanders, StayWhereTheCallerReadsThem) {
  Half net;
  net.model.Output(net.filter);
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kCpu)), (std::vector<int>{1, 2}));
}

TEST(Expanders, StayWhereANodeReadsThemFromMemory) {
  Half net;
  net.model.Output(net.Unary(kTfLiteBuiltinTanh, net.filter, "of weights"));
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kCpu)), (std::vector<int>{1, 2, 3}));
}

TEST(Expanders, StayWhereTheRuntimeCannotTellItsPartitions) {
  Half net;
  net.model.context()->PreviewDelegatePartitioning = nullptr;
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kCpu)), (std::vector<int>{1, 2}));
}

TEST(Expanders, StandInARow) {
  Net net;
  const uint16_t one = 0x3C00;
  const int sparse = net.model.Constant("sparse", {2, 1, 1, 1}, &one, sizeof(one), kTfLiteFloat16);
  SparseParts parts({0, 1, 2, 3}, {});
  net.model.At(sparse).sparsity = parts.Sparse({0, 1}, {1}).Dense(1).Dense(1).Dense(1).get();
  const int dense = net.model.Tensor("dense", {2, 1, 1, 1}, kTfLiteFloat16);
  const int filter = net.model.Tensor("filter", {2, 1, 1, 1}), y = net.model.Tensor("y", {1, 2, 2, 2});
  net.model.Node(kTfLiteBuiltinDensify, {sparse}, {dense});
  net.model.Node(kTfLiteBuiltinDequantize, {dense}, {filter});
  net.model.Node(kTfLiteBuiltinConv2d, {net.Image("x"), filter, -1}, {y}, &net.conv);
  net.model.Output(y);
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kAuto)), (std::vector<int>{0, 1, 2}));
  ASSERT_EQ(net.view.packed.count(2), 1u);
  EXPECT_EQ(DenseWeights(*net.view.packed[2].layer), (std::vector<float>{0, 1}));
  net.model.Output(dense);
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kAuto)), (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace mcpruner
