// LoadNodes does with the nodes of a model what the delegate does when a model is loaded: it packs layers, and finds
// out what each node means.

#ifndef MCPRUNER_DELEGATE_FUZZ_LOAD_H_
#define MCPRUNER_DELEGATE_FUZZ_LOAD_H_

#include <map>

#include "delegate/fuzz/fuzz.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/predict/pack_pruned.h"
#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {

// Fills view->packed for nodes 0 .. count - 1. Returns what became of the layers.
inline std::map<int, LoadPacking> LoadNodes(int count, const cost::CostTable& table, FakeModel* model,
                                            LayerCache* cache, ModelView* view) {
  view->context = model->context();
  std::vector<NodeRef> nodes;
  for (int i = 0; i < count; ++i) nodes.push_back(model->Ref(i));
  FindExpanded(nodes, view);
  const std::map<int, LoadPacking> rows = PackPruned(nodes, table, cache, view);
  for (const NodeRef& node : nodes) {
    const Result<std::vector<NodePlan>> plans = ParseNode(*view, node, cache);
    Check(plans.ok() || (!plans.message().empty() && plans.message().find('\n') == std::string::npos),
          "what cannot be run has a reason of one line");
  }
  for (const auto& [number, row] : rows) {
    Check((row.group_size > 0) == row.reason.empty(), "a layer is packed, or has a reason");
    Check((row.reason + row.plan_reason).find('\n') == std::string::npos, "a reason is one line");
    Check((row.group_size > 0) == (view->packed.count(number) > 0), "packed layers are kept");
  }
  return rows;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_FUZZ_LOAD_H_
