// Decide says whether the plugin takes a partition, and why: one function for every partition of every file.
//
//     layers of the partition   backend auto                           other backends
//     packed                    taken, for no runtime runs them alone  taken
//     dense                     left                                   taken, for it was asked for
//     none                      left                                   left
//
// Dense layers are left whatever is predicted for them: docs/cost_model.md has the networks on which the prediction is
// not good enough for more. `tflite_ns` and `plugin_ns` stand beside the decision in the report.

#ifndef MCPRUNER_DELEGATE_COST_DECIDE_H_
#define MCPRUNER_DELEGATE_COST_DECIDE_H_

#include <string>

namespace mcpruner::cost {

struct Contents {
  bool packed_layers = false;
  bool dense_layers = false;
};

struct Decision {
  bool take = false;
  std::string reason;  // a sentence without its point
};

// `takes_all` is whether the backend that was asked for takes all that it can run.
Decision Decide(const Contents& partition, bool takes_all);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_DECIDE_H_
