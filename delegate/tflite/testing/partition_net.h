// A Net is a small model of pointwise layers and functions, and what PartitionModel makes of it.

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_PARTITION_NET_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_PARTITION_NET_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "delegate/cost/testing/flat_table.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/run/partition.h"
#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {

// In this table a RELU takes 30 ns in the plugin and 20 in TFLite, a TANH 10 and 20, a pointwise layer 50 and 200.
inline cost::CostTable Table() {
  cost::CostTable table = cost::FlatTable();
  table.nanoseconds.cpu_elementwise.layer = 30;
  table.nanoseconds.tflite_elementwise.layer = 20;
  table.nanoseconds.cpu_exponential.layer = 10;
  table.nanoseconds.tflite_exponential.layer = 20;
  table.nanoseconds.packed_pointwise.layer = 50;
  table.nanoseconds.tflite_pointwise.layer = 200;
  return table;
}

// A Net adds operators to a model of images [1, 2, 2, 1].
struct Net {
  int Image(const std::string& name) { return model.Tensor(name, {1, 2, 2, 1}); }
  int Unary(int32_t code, int x, const std::string& name) {
    const int y = Image(name);
    model.Node(code, {x}, {y});
    return y;
  }
  int Conv(int x, const std::string& name, float weight = 3, float biased = 1) {
    const int y = Image(name), filter = model.Constant("w", {1, 1, 1, 1}, {weight}),
              bias = model.Constant("b", {1}, {biased});
    model.Node(kTfLiteBuiltinConv2d, {x, filter, bias}, {y}, &conv);
    return y;
  }
  // Its layer cannot be read, which is said when it is prepared; nothing is predicted for it.
  int Packed(const std::vector<int>& inputs, const std::string& name) {
    std::vector<int> all = inputs;
    all.push_back(model.Constant("blob", {1}, {1}));
    const int y = Image(name);
    model.CustomNode("McprunerSparseConv2D", all, {y}, {});
    return y;
  }
  SubgraphReport Partition(BackendChoice backend, const cost::CostTable& table = Table(), bool packs_at_load = true) {
    Options options;
    options.backend = backend;
    options.costs = table;
    options.packs_at_load = packs_at_load;
    options.cache_dir = cache_dir;
    options.tune = tune;
    options.num_threads = num_threads;
    view = {};
    view.context = model.context();
    LayerCache cache;
    Result<SubgraphReport> report = PartitionModel(options, &view, &cache);
    EXPECT_TRUE(report.ok()) << report.message();
    return std::move(*report);
  }

  FakeModel model;
  ModelView view;
  std::string cache_dir;
  bool tune = false;
  int num_threads = 0;
  TfLiteConvParams conv = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
};

// Returns the numbers of the nodes that are taken.
inline std::vector<int> Taken(const SubgraphReport& report) {
  std::vector<int> taken;
  for (const NodeReport& node : report.nodes) {
    if (node.taken) taken.push_back(node.node);
  }
  return taken;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_PARTITION_NET_H_
