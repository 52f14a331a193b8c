#include "delegate/tflite/run/partition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/driver/disk_cache.h"
#include "delegate/tflite/testing/partition_net.h"

namespace mcpruner {
namespace {

TEST(PartitionModel, PredictsNodesAndPartitions) {
  Net net;
  net.model.Output(net.Unary(kTfLiteBuiltinTanh, net.Conv(net.Image("x"), "conv"), "tanh"));
  for (const BackendChoice backend : {BackendChoice::kCpu, BackendChoice::kAuto}) {
    const bool taken = backend == BackendChoice::kCpu;
    const SubgraphReport report = net.Partition(backend);
    EXPECT_EQ(Taken(report), taken ? (std::vector<int>{0, 1}) : std::vector<int>());
    EXPECT_EQ(report.nodes[0].tflite_ns, 200);
    EXPECT_EQ(report.nodes[0].plugin_ns, 50);
    EXPECT_EQ(report.nodes[1].tflite_ns, 20);
    EXPECT_EQ(report.nodes[1].plugin_ns, 10);
    ASSERT_EQ(report.decisions.size(), 1u);
    const DecisionReport& decision = report.decisions[0];
    EXPECT_EQ(decision.nodes, (std::vector<int>{0, 1}));
    EXPECT_EQ(decision.taken, taken);
    EXPECT_EQ(decision.tflite_ns, 220);
    EXPECT_EQ(decision.plugin_ns, 100 + 2 * 10 + 50 + 10);
    EXPECT_EQ(decision.reason, taken ? "the backend takes all that it can run" : report.nodes[0].reason);
  }
}

TEST(PartitionModel, LeavesASlowRimWithAuto) {
  Net net;
  const int before = net.Unary(kTfLiteBuiltinRelu, net.Image("x"), "before");
  const int inside = net.Unary(kTfLiteBuiltinRelu, net.Packed({before}, "first"), "inside");
  net.model.Output(net.Unary(kTfLiteBuiltinTanh, net.Packed({inside}, "second"), "after"));
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kCpu)), (std::vector<int>{0, 1, 2, 3, 4}));
  const SubgraphReport report = net.Partition(BackendChoice::kAuto);
  EXPECT_EQ(Taken(report), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(report.nodes[0].reason, "at the rim of its partition, it is predicted to be faster in TFLite");
  ASSERT_EQ(report.decisions.size(), 1u);
  EXPECT_EQ(report.decisions[0].nodes, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(report.decisions[0].plugin_ns, 100 + 2 * 10 + 0 + 10);  // the layer before it applies the RELU inside
}

TEST(PartitionModel, ARimStaysWhereItsPartitionWouldBreak) {
  Net net;
  const int first = net.Packed({net.Image("x")}, "first");
  const int between = net.Unary(kTfLiteBuiltinRelu, net.Image("x2"), "between");
  net.model.Output(net.Packed({first, between}, "second"));
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kAuto)), (std::vector<int>{0, 1, 2}));
}

TEST(PartitionModel, CountsATensorThatTheCallerReadsAsAnEdge) {
  Net net;
  const int conv = net.Conv(net.Image("x"), "conv");
  net.model.Output(net.Unary(kTfLiteBuiltinTanh, conv, "tanh"));
  net.model.Output(conv);
  EXPECT_EQ(net.Partition(BackendChoice::kCpu).decisions[0].plugin_ns, 100 + 3 * 10 + 50 + 10);
}

// A Pruned net is a convolution with a zero, which is all that it has, and a TANH.
struct Pruned : Net {
  explicit Pruned(float weight = 0, float bias = 1) {
    model.Output(Unary(kTfLiteBuiltinTanh, Conv(Image("x"), "conv", weight, bias), "tanh"));
  }
};

TEST(PartitionModel, PacksLayersWithZerosAndTakesThem) {
  for (const BackendChoice backend : {BackendChoice::kAuto, BackendChoice::kCpu}) {
    Pruned net;
    const SubgraphReport report = net.Partition(backend);
    EXPECT_EQ(Taken(report), (std::vector<int>{0, 1}));
    EXPECT_EQ(report.nodes[0].group_size, 1);
    EXPECT_EQ(report.nodes[0].density, 0);
    EXPECT_EQ(report.nodes[0].packing_reason, "");
    EXPECT_EQ(report.nodes[1].packing_reason, "");
    ASSERT_EQ(net.view.packed.count(0), 1u);
    EXPECT_EQ(net.view.packed[0].layer->NumValues(), 0u);
    ASSERT_EQ(report.decisions.size(), 1u);
    EXPECT_EQ(report.decisions[0].tflite_ns, 220);
    EXPECT_EQ(report.decisions[0].plugin_ns, 100 + 2 * 10 + 50 + 10);
    EXPECT_EQ(report.decisions[0].reason, backend == BackendChoice::kCpu
                                              ? "the backend takes all that it can run"
                                              : "its layers with zeros were packed when the file was loaded");
  }
}

TEST(PartitionModel, WithAutoAPartitionMustBeWorthIt) {
  cost::CostTable table = Table();
  table.nanoseconds.cpu_partition.layer = 140;
  Pruned net;
  const SubgraphReport report = net.Partition(BackendChoice::kAuto, table);
  EXPECT_EQ(Taken(report), std::vector<int>());
  EXPECT_TRUE(net.view.packed.empty());
  EXPECT_EQ(report.nodes[0].group_size, 0);
  EXPECT_EQ(report.nodes[0].packing_reason, "it would be packed, but it is left to TFLite");
  EXPECT_EQ(
      report.nodes[0].reason,
      "with its pruned layers packed, its partition is predicted to run 1.00 times as fast, which is not worth it");
  ASSERT_EQ(report.decisions.size(), 1u);
  EXPECT_EQ(report.decisions[0].nodes, (std::vector<int>{0, 1}));
  EXPECT_FALSE(report.decisions[0].taken);
  EXPECT_EQ(Taken(net.Partition(BackendChoice::kCpu, table)), (std::vector<int>{0, 1}));
}

TEST(PartitionModel, PredictsForItsNumberOfThreads) {
  cost::CostTable table = Table();
  table.nanoseconds.tflite_pointwise = {0, 0, 0, 0, 0, 20, 0, 0, 20};  // of 16 bytes
  table.nanoseconds.cpu_barrier.layer = table.nanoseconds.tflite_barrier.layer = 5;
  const auto partition = [&](int option, int recommended) {
    Pruned net;
    net.num_threads = option;
    net.model.context()->recommended_num_threads = recommended;
    return net.Partition(BackendChoice::kAuto, table);
  };
  const auto tflite_ns = [&](int option, int recommended) { return partition(option, recommended).nodes[0].tflite_ns; };
  EXPECT_EQ(tflite_ns(1, 4), 20 + 320);
  EXPECT_EQ(tflite_ns(0, -1), 20 + 320);
  EXPECT_EQ(tflite_ns(0, 1), 20 + 320);
  EXPECT_EQ(tflite_ns(0, 2), 20 + 160 + 5);
  EXPECT_EQ(tflite_ns(4, 1), 20 + 80 + 5);
  EXPECT_EQ(Taken(partition(1, 1)), (std::vector<int>{0, 1}));
  EXPECT_EQ(Taken(partition(4, 1)), std::vector<int>());  // the conv's 105 and the TANH's 20 against 180
}

TEST(PartitionModel, WithAutoTheModelMustBeWorthIt) {
  cost::CostTable table = Table();
  table.nanoseconds.tflite_inference.layer = 1e6;
  const SubgraphReport report = Pruned().Partition(BackendChoice::kAuto, table);
  EXPECT_EQ(Taken(report), std::vector<int>());
  EXPECT_EQ(report.nodes[1].reason,
            "with its pruned layers packed, the model is predicted to run 1.00 times as fast, which is not worth it");
  ASSERT_EQ(report.decisions.size(), 1u);
  EXPECT_EQ(report.decisions[0].reason, report.nodes[1].reason);
}

// Keeps a decision on each partition of a report that can be decided of, as `mcpruner tune` does.
void Keep(const SubgraphReport& report, bool take) {
  std::vector<uint8_t> value;
  const auto add = [&](uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) value.push_back(static_cast<uint8_t>(number >> (8 * i)));
  };
  for (const DecisionReport& decision : report.decisions) {
    if (decision.key.empty()) continue;
    add(std::stoull(decision.key.substr(0, 16), nullptr, 16), 8);
    add(std::stoull(decision.key.substr(16), nullptr, 16), 8);
    add(take ? 1500 : 900, 8);
    add(1000, 8);
    add(20261201, 4);
    add(take ? 1 : 0, 4);
  }
  ASSERT_FALSE(value.empty());
  opencl::DiskCache(::testing::TempDir()).Store(report.tuning.machine, value);
}

TEST(PartitionModel, WithAutoMeasurementsGoBeforePredictions) {
  cost::CostTable slow = Table();
  slow.nanoseconds.cpu_partition.layer = 140;
  for (const bool take : {false, true}) {
    const cost::CostTable table = take ? slow : Table();  // which predicts the contrary
    Pruned net;
    net.cache_dir = ::testing::TempDir();
    const SubgraphReport before = net.Partition(BackendChoice::kAuto, table);
    EXPECT_EQ(before.decisions[0].taken, !take);
    EXPECT_EQ(before.decisions[0].key.size(), 32u);
    EXPECT_FALSE(before.decisions[0].tuned);
    Keep(before, take);
    const SubgraphReport report = net.Partition(BackendChoice::kAuto, table);
    std::remove(report.tuning.file.c_str());
    EXPECT_EQ(Taken(report), take ? (std::vector<int>{0, 1}) : std::vector<int>());
    ASSERT_EQ(report.decisions.size(), 1u);
    EXPECT_EQ(report.decisions[0].taken, take);
    EXPECT_TRUE(report.decisions[0].tuned);
    EXPECT_EQ(report.decisions[0].key, before.decisions[0].key);
    EXPECT_EQ(report.decisions[0].reason, std::string("mcpruner tune measured the model ") + (take ? "1.50" : "0.90") +
                                              " times as fast with it, on 2026-12-01");
    EXPECT_EQ(report.nodes[0].reason, take ? "" : report.decisions[0].reason);
  }
}

// One partition is packed in the file, which nothing decides of; the other is dense, with a RELU that prediction would
// leave at its rim.
TEST(PartitionModel, WithAutoADensePartitionIsTakenWhereItWasMeasured) {
  Net net;
  net.cache_dir = ::testing::TempDir();
  const int packed = net.Packed({net.Image("x")}, "packed");
  const int unknown = net.Unary(kTfLiteBuiltinCustom, packed, "unknown");
  net.model.Output(net.Unary(kTfLiteBuiltinRelu, net.Conv(unknown, "conv"), "relu"));
  const SubgraphReport before = net.Partition(BackendChoice::kAuto);
  EXPECT_EQ(Taken(before), (std::vector<int>{0}));
  for (const DecisionReport& decision : before.decisions) EXPECT_EQ(decision.key.empty(), decision.taken);
  Keep(before, true);
  const SubgraphReport report = net.Partition(BackendChoice::kAuto);
  std::remove(report.tuning.file.c_str());
  EXPECT_EQ(Taken(report), (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(report.decisions.size(), 2u);
  for (const DecisionReport& decision : report.decisions) EXPECT_EQ(decision.tuned, decision.nodes.size() == 2);
}

TEST(PartitionModel, WithoutAFolderOrPackedLayersNoKeyIsMade) {
  EXPECT_EQ(Pruned().Partition(BackendChoice::kAuto).decisions[0].key, "");
  Pruned cpu, dense(3);
  cpu.cache_dir = dense.cache_dir = ::testing::TempDir();
  EXPECT_EQ(cpu.Partition(BackendChoice::kCpu).decisions[0].key, "");
  const SubgraphReport report = dense.Partition(BackendChoice::kAuto);
  EXPECT_EQ(report.decisions[0].key, "");
  EXPECT_EQ(report.tuning.model, "");
}

TEST(PartitionModel, WithAutoADenseModelIsLookedAtWhereItWasMeasured) {
  Pruned net(3);
  net.cache_dir = ::testing::TempDir();
  net.tune = true;
  SubgraphReport before = net.Partition(BackendChoice::kAuto);
  net.tune = false;
  EXPECT_EQ(Taken(before), std::vector<int>());
  EXPECT_EQ(before.decisions[0].key.size(), 32u);
  EXPECT_EQ(before.tuning.model.size(), 32u);
  for (const bool model_too : {false, true}) {
    if (model_too) {
      before.decisions.push_back(before.decisions[0]);
      before.decisions.back().key = before.tuning.model;
    }
    Keep(before, true);
    const SubgraphReport report = net.Partition(BackendChoice::kAuto);
    EXPECT_EQ(Taken(report), model_too ? (std::vector<int>{0, 1}) : std::vector<int>());
    EXPECT_EQ(report.decisions[0].tuned, model_too);
    EXPECT_EQ(report.tuning.model, before.tuning.model);
  }
  std::remove(before.tuning.file.c_str());
}

// With auto such a model is looked at by names alone, and its partition has a reason too, which is not the layer's.
TEST(PartitionModel, ALayerThatNothingRunsHasItsOwnReason) {
  for (const BackendChoice backend : {BackendChoice::kAuto, BackendChoice::kCpu}) {
    for (const float bad : {NAN, INFINITY}) {
      const SubgraphReport report = Pruned(bad).Partition(backend);
      EXPECT_EQ(report.nodes[0].reason,
                "expected finite weights, got NaN or infinity; train or export the layer again");
      EXPECT_EQ(report.nodes[0].packing_reason, report.nodes[0].reason);
      EXPECT_EQ(report.nodes[1].reason,
                "no convolution or fully-connected layer stands beside it, so TFLite is as fast");
      Pruned bias(3, bad);
      EXPECT_EQ(bias.Partition(backend).nodes[0].reason,
                "expected finite biases, got NaN or infinity; train or export the layer again");
    }
  }
}

TEST(PartitionModel, SaysWhyALayerIsNotPacked) {
  cost::CostTable slow = Table();
  slow.nanoseconds.packed_pointwise.layer = 250;
  for (const BackendChoice backend : {BackendChoice::kAuto, BackendChoice::kCpu}) {
    EXPECT_EQ(Pruned().Partition(backend, Table(), false).nodes[0].packing_reason, "option pack is never");
    EXPECT_EQ(Pruned(3).Partition(backend).nodes[0].packing_reason, "its weights have no zeros");
    EXPECT_EQ(Pruned().Partition(backend, slow).nodes[0].packing_reason,
              "with 100.0 % zeros it is predicted to run 0.80 times as fast packed, which is no gain");
    EXPECT_EQ(Pruned(NAN).Partition(backend).nodes[0].packing_reason,
              "expected finite weights, got NaN or infinity; train or export the layer again");
    Pruned converted;
    converted.model.Output(converted.Packed({converted.Image("x2")}, "packed"));
    const SubgraphReport report = converted.Partition(backend);
    EXPECT_EQ(report.nodes[0].packing_reason, "convert packed other layers of the file, and left this one dense");
    EXPECT_EQ(report.nodes[2].packing_reason, "");
  }
}

// A damaged file may give them another shape, and the delegate itself may, too.
TEST(PartitionModel, ExpandedFiltersHaveTheShapeOfTheirConstant) {
  Net net;
  const uint16_t halves[] = {0x3C00, 0};  // 1, 0
  const int half = net.model.Constant("half", {2, 1, 1, 1}, halves, sizeof(halves), kTfLiteFloat16);
  const int filter = net.model.Tensor("filter", {1, 1, 1, 1}), y = net.Image("y");
  net.model.Node(kTfLiteBuiltinDequantize, {half}, {filter});
  net.model.Node(kTfLiteBuiltinConv2d, {net.Image("x"), filter, -1}, {y}, &net.conv);
  net.model.Output(y);
  const SubgraphReport report = net.Partition(BackendChoice::kAuto);
  EXPECT_EQ(report.nodes[1].packing_reason, "");
  EXPECT_EQ(report.nodes[1].density, 0.5);
  ASSERT_EQ(net.view.packed.count(1), 1);
  EXPECT_EQ(net.view.packed[1].layer->out_channels, 2);
}

}  // namespace
}  // namespace mcpruner
