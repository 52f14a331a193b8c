#include "delegate/tflite/graph_builder.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "delegate/graph/shapes.h"
#include "delegate/tflite/rank_map.h"

namespace mcpruner {
namespace {

// TFLite's SAME along one dimension: what is missing for ceil(in / stride) outputs, the smaller half before.
void ResolveSame(int in, int kernel, int stride, int dilation, int* before, int* after) {
  const int64_t out = (int64_t{in} + stride - 1) / stride;
  const int64_t missing = (out - 1) * stride + int64_t{kernel - 1} * dilation + 1 - in;
  const int total = static_cast<int>(std::clamp<int64_t>(missing, 0, 1 << 20));
  *before = total / 2;
  *after = total - total / 2;
}

void ResolveSame(const Shape& x, int kernel_height, int kernel_width, Window* w) {
  ResolveSame(x.h, kernel_height, w->stride_h, w->dilation_h, &w->padding.top, &w->padding.bottom);
  ResolveSame(x.w, kernel_width, w->stride_w, w->dilation_w, &w->padding.left, &w->padding.right);
}

// The parameters that SAME changes, whichever op they belong to.
Status ResolveSame(const Shape& x, OpParams* params) {
  const auto valid = [](const Window& w) {
    return w.stride_h >= 1 && w.stride_w >= 1 && w.dilation_h >= 1 && w.dilation_w >= 1;
  };
  if (auto* conv = std::get_if<ConvParams>(params); conv != nullptr && valid(conv->window)) {
    ResolveSame(x, conv->layer->kernel_height, conv->layer->kernel_width, &conv->window);
  } else if (auto* depthwise = std::get_if<DepthwiseParams>(params); depthwise != nullptr && valid(depthwise->window)) {
    ResolveSame(x, depthwise->kernel_height, depthwise->kernel_width, &depthwise->window);
  } else if (auto* pool = std::get_if<PoolParams>(params); pool != nullptr && valid(pool->window)) {
    ResolveSame(x, pool->filter_height, pool->filter_width, &pool->window);
  } else {
    return Status::Error("expected strides and dilation factors of at least 1");
  }
  return Status::Ok();
}

// The new shape with its -1 resolved; whether the number of elements fits is the graph's to check.
Dims ResolveReshape(const Shape& x, Dims dims) {
  int64_t known = 1;
  for (const int d : dims) known = d < 0 ? known : std::min<int64_t>(known * d, kMaxElements);
  for (int& d : dims) {
    if (d < 0) d = known > 0 ? static_cast<int>(x.size() / known) : 0;
  }
  return dims;
}

StridedSliceParams ResolveSlice(const SliceBounds& bounds, const Dims& in) {
  StridedSliceParams params;
  params.size = {1, 1, 1, 1};
  const int rank = static_cast<int>(in.size());
  for (int i = 0; i < rank; ++i) {
    const size_t k = static_cast<size_t>(i), axis = static_cast<size_t>(MapAxis(rank, i));
    const int64_t size = in[k];
    const auto wrap = [size](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + size : v, 0, size); };
    const int64_t begin = ((bounds.begin_mask >> i) & 1) != 0 ? 0 : wrap(bounds.begin[k]);
    const int64_t end = ((bounds.end_mask >> i) & 1) != 0 ? size : wrap(bounds.end[k]);
    const int64_t count = end > begin ? (end - begin + bounds.stride[k] - 1) / bounds.stride[k] : 0;
    params.begin[axis] = static_cast<int>(begin);
    params.size[axis] = static_cast<int>(count);
    params.stride[axis] = bounds.stride[k];
  }
  return params;
}

class Builder {
 public:
  explicit Builder(const std::function<Dims(int)>& dims_of) : dims_of_(dims_of) {}

  Status AddNode(const NodePlan& plan);
  Status Finish(const std::vector<int>& outputs);
  BuiltGraph Take() { return std::move(built_); }

 private:
  struct Known {
    int index = -1;  // in the graph
    Dims dims;       // in TFLite's rank
  };

  Result<Known> AddConstant(const Operand& operand, int rank);
  // The operand as a tensor of the graph, added when it is met first. Constants are aligned to `rank` dimensions.
  Result<Known> Find(const Operand& operand, int rank);
  int AddTensor(const std::string& name, const Shape& shape);
  // Appends `op`; its output gets the shape that it makes (kReshape has one already).
  Status AddOp(Op op);
  Status AddReshape(const NodePlan& plan, int input, const Dims& dims);
  Status AddFullyConnected(const NodePlan& plan, Op op, const Dims& input_dims);
  // What the sizes of input 0 decide.
  Status Resolve(const NodePlan& plan, const Known& x, Op* op) const;

  const std::function<Dims(int)>& dims_of_;
  BuiltGraph built_;
  std::map<int, Known> tensors_;  // by TFLite's number
};

int Builder::AddTensor(const std::string& name, const Shape& shape) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  built_.graph.tensors.push_back(std::move(tensor));
  return static_cast<int>(built_.graph.tensors.size()) - 1;
}

Result<Builder::Known> Builder::AddConstant(const Operand& operand, int rank) {
  Dims dims = operand.constant_dims;
  if (static_cast<int>(dims.size()) < rank) dims.insert(dims.begin(), static_cast<size_t>(rank) - dims.size(), 1);
  const Result<Shape> shape = MapDims(dims);
  if (!shape.ok()) return shape.status();
  const int index = AddTensor("", *shape);
  built_.graph.tensor(index).data = operand.constant;
  return Known{index, std::move(dims)};
}

Result<Builder::Known> Builder::Find(const Operand& operand, int rank) {
  if (operand.constant != nullptr) return AddConstant(operand, rank);
  auto found = tensors_.find(operand.tensor);
  if (found == tensors_.end()) {
    const Dims dims = dims_of_(operand.tensor);
    const Result<Shape> shape = MapDims(dims);
    if (!shape.ok()) return shape.status();
    const int index = AddTensor("", *shape);
    built_.graph.inputs.push_back(index);
    built_.inputs.push_back(operand.tensor);
    found = tensors_.emplace(operand.tensor, Known{index, dims}).first;
  }
  if (static_cast<int>(found->second.dims.size()) == operand.rank) return found->second;
  return Status::Error("expected an input of " + std::to_string(operand.rank) + " dimensions, got " +
                       DimsText(found->second.dims) + "; the number of dimensions cannot change after loading");
}

Status Builder::AddOp(Op op) {
  const Result<Shape> shape = OutputShape(built_.graph, op);
  if (!shape.ok()) return shape.status();
  built_.graph.tensor(op.output).shape = *shape;
  built_.graph.ops.push_back(std::move(op));
  return Status::Ok();
}

Status Builder::AddReshape(const NodePlan& plan, int input, const Dims& dims) {
  const Result<Shape> shape = MapDims(dims);
  if (!shape.ok()) return shape.status();
  Op op;
  op.type = OpType::kReshape;
  op.name = plan.name;
  op.inputs = {input};
  op.output = AddTensor(plan.name, *shape);
  tensors_[plan.output] = Known{op.output, dims};
  return AddOp(std::move(op));
}

// The graph's op makes [rows, 1, 1, units]; with KeepRank a reshape follows where that is another shape.
Status Builder::AddFullyConnected(const NodePlan& plan, Op op, const Dims& input_dims) {
  const SparseLayer& layer = *std::get<FullyConnectedParams>(plan.params).layer;
  const int output = op.output;
  MCPRUNER_RETURN_IF_ERROR(AddOp(std::move(op)));
  const Shape shape = built_.graph.tensor(output).shape;
  Dims dims = {shape.n, shape.c};
  if (std::holds_alternative<KeepRank>(plan.deferred)) {
    if (input_dims.empty() || input_dims.back() != layer.in_channels) {
      return Status::Error("expected an input whose last dimension is " + std::to_string(layer.in_channels) + ", got " +
                           DimsText(input_dims));
    }
    dims = input_dims;
    dims.back() = layer.out_channels;
    if (dims.size() != 2) return AddReshape(plan, output, dims);
  }
  tensors_[plan.output] = Known{output, std::move(dims)};
  return Status::Ok();
}

Status Builder::Resolve(const NodePlan& plan, const Known& x, Op* op) const {
  if (std::holds_alternative<SamePadding>(plan.deferred)) {
    return ResolveSame(built_.graph.tensor(x.index).shape, &op->params);
  }
  if (const auto* bounds = std::get_if<SliceBounds>(&plan.deferred)) op->params = ResolveSlice(*bounds, x.dims);
  return Status::Ok();
}

Status Builder::AddNode(const NodePlan& plan) {
  int rank = 0;
  for (const Operand& operand : plan.inputs) rank = std::max(rank, operand.rank);
  Op op;
  op.type = plan.type;
  op.name = plan.name;
  op.activation = plan.activation;
  op.params = plan.params;
  Known first;
  for (const Operand& operand : plan.inputs) {
    const Result<Known> known = Find(operand, rank);
    if (!known.ok()) return known.status();
    if (op.inputs.empty()) first = *known;
    op.inputs.push_back(known->index);
  }
  if (const auto* shape = std::get_if<NewShape>(&plan.deferred)) {
    return AddReshape(plan, first.index, ResolveReshape(built_.graph.tensor(first.index).shape, shape->dims));
  }
  MCPRUNER_RETURN_IF_ERROR(Resolve(plan, first, &op));
  op.output = AddTensor(plan.name, Shape());
  if (plan.type == OpType::kFullyConnected) return AddFullyConnected(plan, std::move(op), first.dims);
  const int output = op.output;
  MCPRUNER_RETURN_IF_ERROR(AddOp(std::move(op)));
  const bool drops_axes = plan.type == OpType::kMean && !std::holds_alternative<KeepRank>(plan.deferred);
  tensors_[plan.output] = Known{output, UnmapShape(built_.graph.tensor(output).shape, drops_axes ? 2 : rank)};
  return Status::Ok();
}

Status Builder::Finish(const std::vector<int>& outputs) {
  for (const int output : outputs) {
    const auto found = tensors_.find(output);
    if (found == tensors_.end()) {
      return Status::Error("no node of the partition computes tensor " + std::to_string(output));
    }
    built_.graph.outputs.push_back(found->second.index);
    built_.output_dims.push_back(found->second.dims);
  }
  return Status::Ok();
}

}  // namespace

Result<BuiltGraph> BuildGraph(const std::vector<NodePlan>& nodes, const std::vector<int>& outputs,
                              const std::function<Dims(int)>& dims_of) {
  Builder builder(dims_of);
  for (const NodePlan& plan : nodes) {
    if (const Status status = builder.AddNode(plan); !status.ok()) {
      return Status::Error(std::string(OpTypeName(plan.type)) + " '" + plan.name + "': " + status.message());
    }
  }
  MCPRUNER_RETURN_IF_ERROR(builder.Finish(outputs));
  return builder.Take();
}

}  // namespace mcpruner
