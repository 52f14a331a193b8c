// Decide says whether the plugin takes a partition, and why: one function for every partition of every file.
//
//     layers of the partition   backend auto                           other backends
//     packed in the file        taken, for no runtime runs them alone  taken
//     packed when it is loaded  taken where it is worth it             taken
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
  bool packed_layers = false;  // in the file
  bool dense_layers = false;
  bool packed_at_load = false;  // layers that TFLite could run as well, dense
};

struct Decision {
  bool take = false;
  std::string reason;  // a sentence without its point
};

// `takes_all` is whether the backend that was asked for takes all that it can run.
Decision Decide(const Contents& partition, bool takes_all);

// Says whether what was packed at load is worth to be taken, as `convert` decides what is worth to be packed: where it
// is predicted so many times as fast. `whole` is whether that is the subgraph and not one of its partitions.
Decision IsWorthIt(double speedup, bool whole);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_DECIDE_H_
