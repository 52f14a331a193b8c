// A ModelPlan says how the layers of a file without custom operators were packed by `convert`: format/model_plan.fbs.
//
//     metadata of the file -- ReadModelPlan --> ModelPlan -- Next(key of weights) --> LayerPlan -- CheckPlan --> pack
//
// It is advice: any permutation and any group size keep every weight, so that a plan which does not fit is ignored,
// with a sentence. A file may claim anything. The reader checks what a plan says of all layers, CheckPlan what it says
// of one layer, whose shape nobody knows before.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_MODEL_PLAN_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_MODEL_PLAN_H_

#include <cstdint>
#include <map>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/narrow_values.h"

namespace mcpruner {

// As the file has it. CheckPlan lets pass what may be packed by.
struct LayerPlan {
  Grouping grouping;  // an empty permutation is the identity
  int value_type = 0;
  std::vector<float> scales;
};

class ModelPlan {
 public:
  bool empty() const { return plans_.empty(); }
  // Returns the plan of the next layer that has these weights, or null. The last plan of a key goes on.
  const LayerPlan* Next(uint64_t key);
  // Returns whether each key was asked for.
  bool AllUsed() const;

 private:
  friend Result<ModelPlan> ReadModelPlan(Span<const uint8_t> bytes);
  struct OfKey {
    std::vector<LayerPlan> plans;
    size_t used = 0;
  };
  std::map<uint64_t, OfKey> plans_;
};

// Any bytes may be passed. The error is one sentence: what does not hold of the whole.
Result<ModelPlan> ReadModelPlan(Span<const uint8_t> bytes);

// How a layer is packed by its plan.
struct PlannedPacking {
  Grouping grouping;
  StoredAs stored;
};
// The layer has so many filters, in `conv_groups` groups. The error is what does not hold of its plan.
Result<PlannedPacking> CheckPlan(const LayerPlan& plan, int filters, int conv_groups);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_MODEL_PLAN_H_
