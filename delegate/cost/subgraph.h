// A Subgraph is what prediction sees of a model: operators, their times alone, and which tensors they hand on.
//
//     x ─ PAD ─ CONV_2D ─ LOGISTIC ─ MUL      times      of each operator in TFLite and in the plugin
//                   └────────────────┘        folds      PAD costs nothing in a partition with CONV_2D, nor MUL with
//                                                        LOGISTIC
//
// It is plain data: nothing here knows a runtime, so that models which are not packed yet are predicted alike.

#ifndef MCPRUNER_DELEGATE_COST_SUBGRAPH_H_
#define MCPRUNER_DELEGATE_COST_SUBGRAPH_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mcpruner::cost {

struct Operator {
  std::string name;                  // in TFLite's schema, or that of one of our own
  std::vector<int> inputs, outputs;  // numbers of tensors, constants among them; negative for an absent one
  bool packed = false;               // no rim: TFLite cannot run it, or it was packed to be run here
  double tflite_ns = 0.0, plugin_ns = 0.0;
};

struct Subgraph {
  std::vector<Operator> operators;  // in execution order
  std::map<int, double> elements;   // of each float32 tensor that is computed or given; not of constants
  std::set<int> outputs;            // tensors that the caller reads
};

// Finds what the plugin folds into other operators (delegate/graph/passes, converter/tflite/predict_folds.py): the
// number of an operator that costs nothing, and that of the one that must be in the same partition.
std::map<size_t, size_t> FindFolds(const Subgraph& graph);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_SUBGRAPH_H_
