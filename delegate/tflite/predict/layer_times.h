// LayerTimes predicts one operator with weights.

#ifndef MCPRUNER_DELEGATE_TFLITE_PREDICT_LAYER_TIMES_H_
#define MCPRUNER_DELEGATE_TFLITE_PREDICT_LAYER_TIMES_H_

#include <optional>

#include "delegate/cost/amounts.h"
#include "delegate/cost/cost_table.h"
#include "delegate/cost/predictor.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

// Returns whether an operator has weights: a convolution or fully-connected layer, packed or dense.
bool HasWeights(const TfLiteRegistration& registration);

// Returns the geometry of a CONV_2D, FULLY_CONNECTED or TRANSPOSE_CONV; nothing where its sizes do not fit together.
std::optional<cost::Geometry> DenseGeometry(const ModelView& view, const NodeRef& node);

// Returns its times as the file has it, or as it was packed at load. Both are 0 where no table knows it.
cost::Times LayerTimes(const ModelView& view, const NodeRef& node, const cost::CostTable& table, LayerCache* cache);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PREDICT_LAYER_TIMES_H_
