// MakeSubgraph makes of a TFLite model what prediction sees: converter/tflite/predict.py and decide.py in C++.
//
// Sizes are those that the file has; where it leaves the rows or columns of a convolution open, there are as many as
// the converter takes. An operator of which no table knows anything (a convolution with computed weights) counts as
// nothing, and so does what is computed once, when the model is loaded (DEQUANTIZE of a constant).

#ifndef MCPRUNER_DELEGATE_TFLITE_PREDICT_MAKE_SUBGRAPH_H_
#define MCPRUNER_DELEGATE_TFLITE_PREDICT_MAKE_SUBGRAPH_H_

#include <vector>

#include "delegate/cost/cost_table.h"
#include "delegate/cost/subgraph.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

// Returns the bytes that the weights of all convolutions and dense layers take as float32 (CostTable::ForModel).
double WeightBytes(const ModelView& view, const std::vector<NodeRef>& nodes);

// Returns an operator for each node, in order. The cache keeps the packed layers that are counted. Which tensors the
// caller reads is still to be filled in: no context tells.
cost::Subgraph MakeSubgraph(const ModelView& view, const std::vector<NodeRef>& nodes, const cost::CostTable& table,
                            LayerCache* cache);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PREDICT_MAKE_SUBGRAPH_H_
