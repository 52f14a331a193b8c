#include "delegate/graph/passes/fusion.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "delegate/graph/activation_range.h"
#include "delegate/graph/passes/fold_gates.h"
#include "delegate/graph/passes/lifetimes.h"
#include "delegate/graph/passes/rewriting.h"

namespace mcpruner {
namespace {

bool IsOutput(const Graph& graph, int tensor) {
  return std::find(graph.outputs.begin(), graph.outputs.end(), tensor) != graph.outputs.end();
}

void RemoveDeadOps(Graph* graph) {
  std::vector<bool> needed(graph->tensors.size(), false);
  for (const int i : graph->outputs) needed[static_cast<size_t>(i)] = true;
  for (auto op = graph->ops.rbegin(); op != graph->ops.rend(); ++op) {
    if (needed[static_cast<size_t>(op->output)]) {
      for (const int i : op->inputs) needed[static_cast<size_t>(i)] = true;
    } else {
      op->output = -1;
    }
  }
  EraseFolded(graph);
}

// A reshape of what a reshape made reads the input of the first one. RemoveDeadOps takes that one away, since others
// may read it.
void JoinReshapes(Graph* graph) {
  const std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    const Op* const before = producers[static_cast<size_t>(op.inputs[0])];
    if (op.type == OpType::kReshape && before != nullptr && before->type == OpType::kReshape) {
      op.inputs[0] = before->inputs[0];
    }
  }
}

// Returns whether a slice goes backwards along a dimension.
bool IsReversed(const Op& op) {
  const auto* slice = std::get_if<StridedSliceParams>(&op.params);
  if (slice == nullptr) return false;
  for (size_t i = 0; i < 4; ++i) {
    if (slice->size[i] > 1 && slice->stride[i] < 0) return true;
  }
  return false;
}

// A reshape that gives each group of channels a dimension, a transpose of both, and a reshape back are one shuffle.
// RemoveDeadOps takes the first two away, since others may read them.
void FoldShuffles(Graph* graph) {
  constexpr std::array<int, 4> kSwapped{0, 1, 3, 2};
  const std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    const Op* const transpose = producers[static_cast<size_t>(op.inputs[0])];
    if (op.type != OpType::kReshape || transpose == nullptr || transpose->type != OpType::kTranspose) continue;
    const Op* const before = producers[static_cast<size_t>(transpose->inputs[0])];
    if (std::get<TransposeParams>(transpose->params).order != kSwapped || before == nullptr) continue;
    const Shape &groups = graph->tensor(transpose->inputs[0]).shape, &out = graph->tensor(op.output).shape;
    const bool in_groups = before->type == OpType::kReshape && graph->tensor(before->inputs[0]).shape == out &&
                           out.size() > 0 && int64_t{groups.w} * groups.c == out.c;
    if (!in_groups) continue;
    op.type = OpType::kShuffle;
    op.inputs = {before->inputs[0]};
    op.params = ShuffleParams{groups.w};
  }
}

void RemoveIdentities(Graph* graph) {
  for (Op& op : graph->ops) {
    const bool may_be = op.type == OpType::kReshape || op.type == OpType::kPad || op.type == OpType::kMirrorPad ||
                        op.type == OpType::kStridedSlice;
    // A pad that keeps the shape keeps every element at its place, and so does a slice that goes forwards.
    if (!may_be || IsReversed(op) || graph->tensor(op.inputs[0]).shape != graph->tensor(op.output).shape) continue;
    if (IsOutput(*graph, op.output)) continue;  // the caller reads this very tensor
    for (Op& reader : graph->ops) std::replace(reader.inputs.begin(), reader.inputs.end(), op.output, op.inputs[0]);
    op.output = -1;
  }
  EraseFolded(graph);
}

// Returns the window's padding with the pad's zeros around it, if these are zeros over H and W only and the sum stays
// in bounds.
std::optional<Padding2D> AddPad(const Padding2D& window, const PadParams& pad) {
  const auto& [before, after, value] = pad;
  const bool over_rows_and_columns = before[0] == 0 && after[0] == 0 && before[3] == 0 && after[3] == 0;
  if (value != 0.0f || !over_rows_and_columns) return std::nullopt;
  const int64_t top = int64_t{window.top} + before[1], bottom = int64_t{window.bottom} + after[1];
  const int64_t left = int64_t{window.left} + before[2], right = int64_t{window.right} + after[2];
  if (std::max({top, bottom, left, right}) > kMaxWindow) return std::nullopt;
  return Padding2D{static_cast<int>(top), static_cast<int>(bottom), static_cast<int>(left), static_cast<int>(right)};
}

// Returns the activation that the op is, all by itself; kNone for all other ops.
Activation AsActivation(const Op& op) {
  const auto* unary = std::get_if<UnaryParams>(&op.params);
  return unary == nullptr ? Activation::kNone : ActivationOf(unary->function);
}

// Returns whether everything that the op computes is at least 0.
bool IsNonNegative(const Op* op) {
  return op != nullptr && std::max(RangeOf(op->activation).low, RangeOf(AsActivation(*op)).low) >= 0;
}

// Returns whether a maximum may leave out zeros around the map: it does not see them where nothing is below 0, as long
// as every window has a pixel.
bool MaxPoolMayPad(const PoolParams& pool, const Padding2D& padding, const Op* before) {
  return IsNonNegative(before) && std::max(padding.top, padding.bottom) < pool.filter_height &&
         std::max(padding.left, padding.right) < pool.filter_width;
}

// Folds pads into the windows behind them. RemoveDeadOps takes the pad away, since others may read it.
void FoldPads(Graph* graph) {
  const std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    Window* window = nullptr;
    if (auto* conv = std::get_if<ConvParams>(&op.params)) window = &conv->window;
    if (auto* depthwise = std::get_if<DepthwiseParams>(&op.params)) window = &depthwise->window;
    if (op.type == OpType::kMaxPool) window = &std::get<PoolParams>(op.params).window;
    const Op* pad = producers[static_cast<size_t>(op.inputs[0])];
    if (window == nullptr || pad == nullptr || pad->type != OpType::kPad) continue;
    const auto padding = AddPad(window->padding, std::get<PadParams>(pad->params));
    if (!padding.has_value()) continue;
    const Op* before = producers[static_cast<size_t>(pad->inputs[0])];
    if (op.type == OpType::kMaxPool && !MaxPoolMayPad(std::get<PoolParams>(op.params), *padding, before)) continue;
    window->padding = *padding;
    op.inputs[0] = pad->inputs[0];
  }
}

void FoldActivations(Graph* graph) {
  const std::vector<int> readers = CountReaders(*graph);
  const std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    const Activation activation = AsActivation(op);
    Op* before = producers[static_cast<size_t>(op.inputs[0])];
    if (activation == Activation::kNone || before == nullptr || !TakesActivation(before->type)) continue;
    if (before->activation != Activation::kNone || readers[static_cast<size_t>(op.inputs[0])] != 1) continue;
    before->activation = activation;
    before->output = op.output;
    op.output = -1;
  }
  EraseFolded(graph);
}

// Returns whether add.inputs[side] comes from a convolution that can add the other operand itself.
bool CanTakeResidual(const Graph& graph, const Op& add, size_t side, const Op* conv, const std::vector<int>& readers) {
  const int sum = add.inputs[side], residual = add.inputs[1 - side];
  return conv != nullptr && conv->type == OpType::kConv && conv->inputs.size() == 1 &&
         conv->activation == Activation::kNone && readers[static_cast<size_t>(sum)] == 1 &&
         graph.tensor(residual).data == nullptr && graph.tensor(sum).shape == graph.tensor(residual).shape;
}

void FoldResiduals(Graph* graph) {
  const std::vector<int> readers = CountReaders(*graph);
  std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    if (op.type != OpType::kAdd) continue;
    Op* conv = nullptr;
    int residual = -1;
    for (const size_t side : {0, 1}) {
      Op* before = producers[static_cast<size_t>(op.inputs[side])];
      // These point into one vector: the larger pointer is the later op, which delays least by moving here.
      if (CanTakeResidual(*graph, op, side, before, readers) && (conv == nullptr || before > conv)) {
        conv = before;
        residual = op.inputs[1 - side];
      }
    }
    if (conv == nullptr) continue;
    conv->inputs.push_back(residual);
    conv->activation = op.activation;
    conv->output = op.output;
    op = std::move(*conv);
    producers[static_cast<size_t>(op.output)] = &op;
    conv->output = -1;
  }
  EraseFolded(graph);
}

}  // namespace

Status FuseGraph(Graph* graph) {
  MCPRUNER_RETURN_IF_ERROR(ValidateGraph(*graph));
  JoinReshapes(graph);
  FoldShuffles(graph);
  RemoveIdentities(graph);
  FoldPads(graph);
  RemoveDeadOps(graph);  // before readers are counted
  FoldGates(graph);
  FoldActivations(graph);
  FoldResiduals(graph);
  return Status::Ok();
}

}  // namespace mcpruner
