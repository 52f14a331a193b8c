// A NodePlan is a TFLite node as the delegate understood it: everything that does not depend on the sizes of its
// inputs.
//
//     TFLite node --ParseNode (once)--> NodePlan --BuildGraph (at each resize)--> Op(s) of the internal graph
//
// ParseNode reads and packs weights; a plan holds them by shared_ptr. What depends on sizes or on the number of
// dimensions waits in `deferred` for BuildGraph: both may be unknown when the model is loaded, and change later.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_NODE_PLAN_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_NODE_PLAN_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

// An Operand is an input of an op: a tensor that is computed, or a constant.
struct Operand {
  int tensor = -1;                                     // TFLite's number
  std::shared_ptr<const std::vector<float>> constant;  // null where it is computed
  Dims constant_dims;
};

// In a convolution or pool, this says that the padding is TFLite's SAME.
struct SamePadding {};
// In a RESHAPE, these are the new sizes, of which at most one is -1.
struct NewShape {
  Dims dims;
};
// In a STRIDED_SLICE, the lists have an entry for each axis; axes behind them are taken whole. Where bit i of a mask is
// set, entry i
//     begin_mask, end_mask   begins (ends) where the tensor does
//     ellipsis_mask          stands for as many whole axes as the other entries leave
//     new_axis_mask          is an axis of size 1 that only the output has
//     shrink_axis_mask       takes the element at `begin`, and the output has no such axis
struct SliceBounds {
  Dims begin, end, stride;
  int begin_mask = 0, end_mask = 0, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0;
};
// In a slice that is an output of a SPLIT, SPLIT_V or UNPACK: part `index` of `count` along one axis.
struct AxisPart {
  int axis = 0, index = 0, count = 1;
  Dims sizes;               // of all parts, of which at most one is -1; empty where they are equal
  bool drops_axis = false;  // whether the axis is gone, since the part has one element of it
};
// In a slice that is a GATHER: the elements of one axis that it takes, as runs of constant steps, one behind the other,
// and the dims that come into the place of that axis.
struct GatheredAxis {
  struct Run {
    int begin = 0, stride = 1, count = 0;
  };
  int axis = 0;
  std::vector<Run> runs;
  Dims dims;
};
// In a RESHAPE that is a SQUEEZE: the axes that go, or none for all of size 1.
struct SqueezedAxes {
  Dims axes;
};
// In a RESHAPE that is an EXPAND_DIMS, or a CONCATENATION that is a PACK: the place of an axis that comes, which a
// negative number counts from the end of the output.
struct AddedAxis {
  int axis = 0;
};
// In a PAD or MIRROR_PAD, both lists count TFLite's axes.
struct Paddings {
  Dims before, after;
  float value = 0.0f;      // of a PAD
  bool with_edge = false;  // of a MIRROR_PAD
};
// In a CONCATENATION, MEAN, SUM, REDUCE_MAX or REDUCE_MIN, a negative axis is counted from the last one.
struct ConcatAxis {
  int axis = 0;
};
struct ReduceAxes {
  Dims axes;
  bool keep_dims = false;
};
// In a TRANSPOSE, axis i of the output is axis axes[i] of the input.
struct AxisOrder {
  Dims axes;
};
// In a FULLY_CONNECTED, this says that the output has the input's rank; without it the rank is 2.
struct KeepRank {};

// In a transposed convolution, the ordinary one makes pixels as channels (transposed_conv.h): the sizes of the one
// input that fits, and of the output, and how pixels are spread. A batch of -1 is any.
struct PixelBlocks {
  Dims input, output;
  DepthToSpaceParams blocks;
};

struct NodePlan {
  OpType type = OpType::kReshape;
  std::string name;  // that of the output tensor
  std::vector<Operand> inputs;
  int output = -1;  // TFLite's number
  Activation activation = Activation::kNone;
  OpParams params;
  // The layer of a convolution that the file says is grouped, made once for the channels that its input has there. The
  // one of `params` has the channels of a filter, whatever the input has.
  LayerCache::LayerPtr grouped;
  std::variant<std::monostate, SamePadding, NewShape, SqueezedAxes, AddedAxis, SliceBounds, AxisPart, GatheredAxis,
               Paddings, ConcatAxis, ReduceAxes, AxisOrder, KeepRank, PixelBlocks>
      deferred;
};

// Returns the plans, one for each output, or a sentence that says why the delegate cannot run the node.
Result<std::vector<NodePlan>> ParseNode(const ModelView& view, const NodeRef& node, LayerCache* cache);

// Sets type, parameters and activation for one of the project's own operators, from its layer and the bytes of its
// SparseOptions. plan->inputs[0] must be set before.
Status SetSparseParams(const LayerCache::LayerPtr& layer, Span<const uint8_t> options, LayerCache* cache,
                       NodePlan* plan);

// Returns whether it is one of the project's own operators, which no runtime can run without the delegate.
bool IsSparseOp(const TfLiteRegistration& registration);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_NODE_PLAN_H_
