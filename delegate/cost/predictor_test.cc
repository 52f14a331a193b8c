#include "delegate/cost/predictor.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cost/decide.h"
#include "delegate/cost/testing/flat_table.h"

namespace mcpruner::cost {
namespace {

// A Chain is a subgraph whose operators read the tensor before: operator i reads tensor i and writes i + 1.
Subgraph Chain(const std::vector<std::pair<std::string, Times>>& operators) {
  Subgraph graph;
  graph.elements[0] = 1;
  for (const auto& [name, times] : operators) {
    const int input = static_cast<int>(graph.operators.size());
    graph.operators.push_back({name, {input}, {input + 1}, name == "packed", times.tflite_ns, times.plugin_ns});
    graph.elements[input + 1] = 1;
  }
  graph.outputs.insert(static_cast<int>(operators.size()));
  return graph;
}

TEST(Folds, AreThoseOfThePlugin) {
  Subgraph graph = Chain({{"PAD", {}}, {"CONV_2D", {}}, {"LOGISTIC", {}}, {"MUL", {}}, {"CONV_2D", {}}, {"ADD", {}}});
  graph.operators[3].inputs = {2, 3};  // what LOGISTIC read, and what it made
  graph.operators[5].inputs = {0, 5};
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{0, 1}, {3, 2}, {5, 4}}));
  graph.outputs.insert(5);  // the second convolution's result is wanted without the sum
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{0, 1}, {3, 2}}));
}

TEST(Folds, KnowWhatIsAppliedToStoredResults) {
  Subgraph graph = Chain({{"DEPTHWISE_CONV_2D", {}}, {"PRELU", {}}, {"CONV_2D", {}}, {"ADD", {}}, {"LEAKY_RELU", {}}});
  graph.operators[3].inputs = {0, 3};
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{1, 0}, {3, 2}, {4, 3}}));
  graph.outputs.insert(3);  // so the sum is a pass of its own, which takes activations only
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{1, 0}}));
  graph.operators[4].name = "RELU6";
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{1, 0}, {4, 3}}));
}

TEST(Folds, KnowMish) {
  Subgraph graph = Chain({{"EXP", {}}, {"ADD", {}}, {"LOG", {}}, {"TANH", {}}, {"MUL", {}}});
  graph.operators[1].inputs = {1, 9};  // 9 is a constant
  graph.operators[4].inputs = {4, 0};
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{1, 0}, {2, 0}, {3, 0}, {4, 0}}));
}

TEST(Folds, KnowShuffles) {
  const Subgraph graph = Chain({{"RESHAPE", {}}, {"TRANSPOSE", {}}, {"RESHAPE", {}}, {"TRANSPOSE", {}}});
  EXPECT_EQ(FindFolds(graph), (std::map<size_t, size_t>{{0, 2}, {1, 2}}));
}

// 0 RESHAPE 1 MEAN 2 ... as TensorFlow writes x * (factor * scale) + (shift - mean * (factor * scale)).
TEST(Folds, KnowNormalizations) {
  Subgraph graph = Chain({{"RESHAPE", {}},
                          {"MEAN", {}},
                          {"SQUARED_DIFFERENCE", {}},
                          {"MEAN", {}},
                          {"ADD", {}},
                          {"RSQRT", {}},
                          {"MUL", {}},
                          {"MUL", {}},
                          {"MUL", {}},
                          {"SUB", {}},
                          {"ADD", {}},
                          {"RESHAPE", {}}});
  graph.operators[2].inputs = {1, 2};    // x and its mean
  graph.operators[7].inputs = {1, 7};    // x and the scaled factor
  graph.operators[8].inputs = {2, 7};    // the mean and the scaled factor
  graph.operators[9].inputs = {99, 9};   // 99 is a constant
  graph.operators[10].inputs = {8, 10};  // both sums
  std::map<size_t, size_t> expected{{0, 10}, {11, 10}};
  for (size_t i = 2; i < 10; ++i) expected[i] = 10;
  EXPECT_EQ(FindFolds(graph), expected);
  graph.outputs.insert(6);  // the factor is wanted
  EXPECT_TRUE(FindFolds(graph).empty());
}

TEST(Predictor, CountsEdgesTheCallAndFoldsInsideOfAPartition) {
  Subgraph graph = Chain({{"PAD", {5, 7}}, {"CONV_2D", {50, 30}}, {"RELU", {4, 3}}});
  graph.operators[1].inputs = {1, 8};  // 8 is a constant
  const CostTable table = FlatTable();
  const Predictor predictor(graph, table);
  EXPECT_EQ(predictor.OperatorTimes(0, {0, 1}).plugin_ns, 0);
  EXPECT_EQ(predictor.OperatorTimes(0, {0}).plugin_ns, 7);
  EXPECT_EQ(predictor.PartitionTimes({0, 1}).tflite_ns, 55);
  EXPECT_EQ(predictor.PartitionTimes({0, 1}).plugin_ns, 100 + 2 * 10 + 30);
  EXPECT_EQ(predictor.PartitionTimes({0}).plugin_ns, 100 + 2 * 10 + 7);
}

TEST(Predictor, AnEdgeCountsOnceHoweverManyReadIt) {
  Subgraph graph = Chain({{"RELU", {}}, {"RELU", {}}, {"RELU", {}}});
  graph.operators[2].inputs = {1};  // as operator 1 does
  graph.outputs = {2, 3};
  const CostTable table = FlatTable();
  EXPECT_EQ(Predictor(graph, table).PartitionTimes({1, 2}).plugin_ns, 100 + 3 * 10);
}

TEST(SlowRim, LeavesWhatTfliteRunsFaster) {
  const CostTable table = FlatTable();
  const auto slow = [&](const std::vector<std::pair<std::string, Times>>& operators) {
    const Subgraph graph = Chain(operators);
    std::set<size_t> all;
    for (size_t i = 0; i < operators.size(); ++i) all.insert(i);
    return Predictor(graph, table).SlowRim(all);
  };
  const std::pair<std::string, Times> packed{"packed", {900, 300}}, fast{"RELU", {50, 20}}, bad{"TANH", {50, 80}};
  EXPECT_EQ(slow({bad, packed, bad, bad}), (std::set<size_t>{0, 2, 3}));
  EXPECT_EQ(slow({fast, bad, packed, bad, packed, bad, fast}), std::set<size_t>());  // none of them is at the rim
  EXPECT_EQ(slow({packed, {"RELU", {100, 105}}}), std::set<size_t>());               // 1.05 times as fast is not enough
  EXPECT_EQ(slow({packed, {"RELU", {100, 106}}}), std::set<size_t>{1});
  EXPECT_EQ(slow({{"packed", {1, 1000}}}), std::set<size_t>());
}

TEST(SlowRim, WeighsTheEdge) {
  CostTable table = FlatTable();
  table.nanoseconds.cpu_edge.output_bytes = 1;
  Subgraph graph = Chain({{"packed", {}}, {"MEAN", {50, 80}}});
  graph.elements[1] = 100;  // it would be an edge of 400 bytes, where now 4 leave
  EXPECT_EQ(Predictor(graph, table).SlowRim({0, 1}), std::set<size_t>());
  graph.elements[1] = 1;
  EXPECT_EQ(Predictor(graph, table).SlowRim({0, 1}), std::set<size_t>{1});
}

TEST(Decide, TakesPackedLayersAlwaysAndDenseOnesWhereTheyAreAskedFor) {
  const struct {
    Contents contents;
    bool takes_all, take;
  } cases[] = {{{true, true}, false, true},         {{true, false}, true, true},      {{false, true}, false, false},
               {{false, true}, true, true},         {{false, false}, true, false},    {{false, false}, false, false},
               {{false, false, true}, false, true}, {{false, true, true}, true, true}};
  for (const auto& c : cases) {
    const Decision decision = Decide(c.contents, c.takes_all);
    EXPECT_EQ(decision.take, c.take) << decision.reason;
    EXPECT_FALSE(decision.reason.empty());
  }
}

TEST(Decide, AsksForMoreThanATieOfWhatWasPackedAtLoad) {
  EXPECT_TRUE(IsWorthIt(1.05, false).take);
  EXPECT_TRUE(IsWorthIt(1e9, true).take);
  EXPECT_EQ(
      IsWorthIt(1.0, false).reason,
      "with its pruned layers packed, its partition is predicted to run 1.00 times as fast, which is not worth it");
  EXPECT_EQ(IsWorthIt(0.5, true).reason,
            "with its pruned layers packed, the model is predicted to run 0.50 times as fast, which is not worth it");
}

}  // namespace
}  // namespace mcpruner::cost
