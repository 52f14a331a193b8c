// The parsers of single operators share this. See node_plan.h.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_PARSE_COMMON_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_PARSE_COMMON_H_

#include <string>
#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {

struct ParseContext {
  const ModelView& view;
  const NodeRef& node;
  LayerCache* cache;
};

// Returns the node's builtin parameters, or null.
template <typename T>
const T* BuiltinParams(const NodeRef& node) {
  return static_cast<const T*>(node.node->builtin_data);
}
inline Status MissingParams() { return Status::Error("the file holds no parameters for it"); }

// Fills name, output and inputs[0] of the plan: one float32 tensor in, one float32 tensor out, which are these inputs
// and outputs of the node.
Result<NodePlan> StartPlan(const ParseContext& c, OpType type, size_t input = 0, size_t output = 0);
// Returns the i-th input as a computed or constant float32 operand.
Result<Operand> ReadOperand(const ParseContext& c, size_t i);
// InputDims returns the sizes of input 0 as the file has them; RankedDims does if there are `rank` of them.
Dims InputDims(const ParseContext& c);
Result<Dims> RankedDims(const ParseContext& c, size_t rank);

Result<Activation> MapActivation(TfLiteFusedActivation activation);
// Sets plan->deferred for SAME; the error is for a padding that is neither SAME nor VALID.
Status SetPadding(TfLitePadding padding, NodePlan* plan);

// parse_conv.cc has operators with weights.
Result<NodePlan> ParseConv2D(const ParseContext& c);
Result<NodePlan> ParseDepthwiseConv2D(const ParseContext& c);
Result<NodePlan> ParseFullyConnected(const ParseContext& c);
Result<NodePlan> ParseTransposeConv(const ParseContext& c);
// Returns the filters per group for layers that come dense.
int DenseGroupSize(const Dims& input, int out_channels);
// parse_transposed.cc plans transposed convolutions, TFLite's and the project's own.
struct TransposedConv {
  DenseShape shape;
  std::vector<float> weights;         // OHWI, as TRANSPOSE_CONV has them
  std::vector<float> bias;            // of each filter, or none
  std::vector<uint16_t> permutation;  // which filter each of `weights` is; empty: the identity
  int group_size = 0;                 // filters that share zeros; 0: nothing is known of them
  int stride_h = 1, stride_w = 1;
  bool same = false;
  Dims output;  // a batch of -1 is any
};
// Returns the shape, weights and bias of a packed layer, which keep their order and their groups.
TransposedConv TransposedOf(const SparseLayer& layer);
Status SetTransposed(const TransposedConv& conv, LayerCache* cache, NodePlan* plan);
// parse_sparse.cc has the project's own operators. OptionBytes returns the custom options of one.
Span<const uint8_t> OptionBytes(const NodeRef& node);
Result<NodePlan> ParseSparse(const ParseContext& c);
// parse_simple.cc has operators that work element by element or window by window. ParseBinary's `type` is one of
// binary_functions.inc.
Result<NodePlan> ParseBinary(const ParseContext& c, OpType type);
Result<NodePlan> ParseUnary(const ParseContext& c, UnaryFunction function);
// Takes the exponents that have a function of their own.
Result<NodePlan> ParsePow(const ParseContext& c);
Result<NodePlan> ParseSoftmax(const ParseContext& c);
Result<NodePlan> ParseL2Normalization(const ParseContext& c);
Result<NodePlan> ParsePool(const ParseContext& c, OpType type);
Result<NodePlan> ParseReduce(const ParseContext& c, OpType type);
// parse_image.cc has operators that resample images, or move their pixels to channels and back.
Result<NodePlan> ParseResize(const ParseContext& c, OpType type);
Result<NodePlan> ParseBlocks(const ParseContext& c, OpType type);
// parse_shape.cc has operators that move elements.
Result<NodePlan> ParsePad(const ParseContext& c);
Result<NodePlan> ParseMirrorPad(const ParseContext& c);
Result<NodePlan> ParseConcatenation(const ParseContext& c);
Result<NodePlan> ParseReshape(const ParseContext& c);
Result<NodePlan> ParseStridedSlice(const ParseContext& c);
Result<NodePlan> ParseTranspose(const ParseContext& c);

// parse_parts.cc has operators that cut a tensor in parts or put parts together, and those that add and remove axes.
Result<NodePlan> ParseSqueeze(const ParseContext& c);
Result<NodePlan> ParseExpandDims(const ParseContext& c);
Result<NodePlan> ParsePack(const ParseContext& c);
Result<NodePlan> ParseSlice(const ParseContext& c);
Result<std::vector<NodePlan>> ParseSplit(const ParseContext& c);
Result<std::vector<NodePlan>> ParseSplitV(const ParseContext& c);
Result<std::vector<NodePlan>> ParseUnpack(const ParseContext& c);
// parse_gather.cc has the operator that picks elements of an axis.
Result<NodePlan> ParseGather(const ParseContext& c);
// parse_shape.cc: reads the inputs of a node that joins tensors, of which some are constants.
Result<NodePlan> PlanOfMany(const ParseContext& c, OpType type);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_PARSE_COMMON_H_
