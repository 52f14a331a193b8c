// Lowering turns a node plan and the sizes of its operands into ops of the internal graph, whatever the rank.
//
//     lower_window.cc   convolutions, pools, and what resamples images or moves their pixels: rank 4, as in TFLite
//     lower_axes.cc     PAD, CONCATENATION, PACK, RESHAPE, SQUEEZE, EXPAND_DIMS
//     lower_transpose.cc  TRANSPOSE
//     lower_slice.cc    STRIDED_SLICE, SLICE, SPLIT, SPLIT_V, UNPACK
//     lower_gather.cc   GATHER
//     lower_norm.cc     normalizations, which several operators make together
//     lower_l2_norm.cc  L2_NORMALIZATION
//     lower_reduce.cc   MEAN, SUM, REDUCE_MAX, REDUCE_MIN
//     lower_blocks.cc   TRANSPOSE_CONV, which makes blocks of pixels
//     lower_rows.cc     element by element, with broadcasting; FULLY_CONNECTED, which reads rows of channels
//
// A partition may meet other sizes than those in the file: after a resize, or where the file says nothing. TFLite can
// no longer take a node back then, so all that TFLite runs has ops here. What four dimensions cannot hold at once is
// done axis by axis, and a convolution whose filters read a share of the channels is one with zeros for the others
// (graph/weights/grouped_layer.h). The errors are those that TFLite has as well, and tensors beyond kMaxElements.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOWER_LOWER_H_
#define MCPRUNER_DELEGATE_TFLITE_LOWER_LOWER_H_

#include <optional>
#include <vector>

#include "delegate/tflite/lower/find_norms.h"
#include "delegate/tflite/lower/graph_tensors.h"

namespace mcpruner {

// Returns an op with type, name, parameters and activation of the plan. Its inputs are still to be set.
Op OpOf(const NodePlan& plan);

// Returns `axis`, which is counted from the end if negative.
Result<size_t> CountAxis(int axis, size_t rank);
// Applies `op`, whose inputs are still to be set, to `v` under the shape `view`. The dims of `v` stay.
Status ApplyUnder(const Result<Shape>& view, Op op, GraphTensors* graph, Value* v);

// Each of these returns the node's output.
Result<Value> LowerWindow(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerTransposedConv(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerPad(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerConcat(const NodePlan& plan, std::vector<Value> parts, GraphTensors* graph);
Result<Value> LowerReshape(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerSlice(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerGather(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerL2Normalization(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerReduce(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerTranspose(const NodePlan& plan, const Value& x, GraphTensors* graph);
// This lowers unary functions and softmax.
Result<Value> LowerUnary(const NodePlan& plan, const Value& x, GraphTensors* graph);
Result<Value> LowerBinary(const NodePlan& plan, const Value& a, const Value& b, GraphTensors* graph);
Result<Value> LowerFullyConnected(const NodePlan& plan, const Value& x, GraphTensors* graph);

// Returns what `last`, the last plan of a normalization, makes; or nothing where the graph has no op for these sizes.
Result<std::optional<Value>> LowerNormalization(const Normalization& norm, const NodePlan& last, GraphTensors* graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOWER_LOWER_H_
