#include "delegate/cpu/kernels/fully_connected/fully_connected_step.h"

#include <algorithm>
#include <string>
#include <utility>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/kernels/pack/pack_step.h"
#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

// Returns where each group's kernels begin, and where the last one's end. A kernel has one position, and so one tap.
std::vector<uint32_t> GroupKernelBegin(const SparseLayer& layer) {
  std::vector<uint32_t> begin{0};
  for (const uint64_t kernels : GroupTaps(layer)) begin.push_back(begin.back() + static_cast<uint32_t>(kernels));
  return begin;
}

// Cuts the groups, at multiples of kFullyConnectedGroups, where the kernels before the cut are share / num_shares of
// all. Each group counts as one kernel more, for its store.
std::vector<Range> ShareGroups(const std::vector<uint32_t>& begin, int num_shares) {
  const int num_groups = static_cast<int>(begin.size()) - 1;
  const int64_t all = int64_t{begin.back()} + num_groups;
  std::vector<Range> shares;
  int group = 0;
  for (int share = 1; share <= num_shares; ++share) {
    const int first = group;
    while (group < num_groups && (begin[static_cast<size_t>(group)] + int64_t{group}) * num_shares < all * share) {
      group = std::min(group + kFullyConnectedGroups, num_groups);
    }
    shares.push_back({first, share == num_shares ? num_groups : group});
  }
  return shares;
}

}  // namespace

std::unique_ptr<Step> MakeFullyConnectedStep(const StepContext& context) {
  return std::make_unique<FullyConnectedStep>(context, std::get<FullyConnectedParams>(context.op.params).layer);
}

std::unique_ptr<Step> MakePixelConvStep(const StepContext& context) {
  const auto& params = std::get<ConvParams>(context.op.params);
  const Padding2D& padding = params.window.padding;
  if (params.layer->kernel_height * params.layer->kernel_width != 1 || context.op.inputs.size() > 1) return nullptr;
  if (padding.top != 0 || padding.left != 0) return nullptr;
  if (!context.input(0).layout.is_vector() || !context.output().layout.is_vector()) return nullptr;
  return std::make_unique<FullyConnectedStep>(context, params.layer);
}

FullyConnectedStep::FullyConnectedStep(const StepContext& context, std::shared_ptr<const SparseLayer> layer)
    : Step("fully_connected g" + std::to_string(layer->group_size) + " " + context.micro_kernels.target,
           context.output().layout.is_vector() ? context.num_threads : 1),
      micro_kernels_(context.micro_kernels),
      input_(context.input(0)),
      output_(context.output()),
      layer_(std::move(layer)),
      activation_(RangeOf(context.op.activation)),
      group_kernel_begin_(GroupKernelBegin(*layer_)),
      shares_(ShareGroups(group_kernel_begin_, num_shares())) {}

int64_t FullyConnectedStep::ScratchFloats() const {
  // Each share unpacks the input for itself, since it is small beside the weights.
  const int64_t in = input_.layout.is_vector() ? 0 : input_.layout.elements() * num_shares();
  return in + (output_.layout.is_vector() ? 0 : output_.layout.elements());
}

void FullyConnectedStep::Run(int share) const {
  const Range groups = shares_[static_cast<size_t>(share)];
  FullyConnectedArgs args{};
  args.group_size = layer_->group_size;
  args.first_group = groups.begin;
  args.last_group = groups.end;
  args.out_channels = layer_->out_channels;
  args.group_kernel_begin = group_kernel_begin_.data();
  args.channels = layer_->channels.data();
  if (layer_->keeps_narrow()) {
    args.values = layer_->narrow.data();
    args.value_bytes = layer_->value_type == ValueType::kInt8 ? 1 : 2;
    args.scales = layer_->scales.data();
  } else {
    args.values = layer_->values.data();
    args.value_bytes = sizeof(float);
  }
  args.permutation = layer_->permutation.data();
  args.bias = layer_->bias.data();
  args.num_rows = output_.layout.n;
  args.in_row_stride = layer_->in_channels;
  args.out_row_stride = layer_->out_channels;
  args.clamp = activation_.clamp ? 1 : 0;
  args.low = activation_.low;
  args.high = activation_.high;
  float* scratch = this->scratch();
  args.in = input_.data;
  if (!input_.layout.is_vector()) {
    float* const nhwc = scratch + share * input_.layout.elements();
    FromHcw(micro_kernels_, input_, nhwc, 0, 1);
    args.in = nhwc;
    scratch += num_shares() * input_.layout.elements();
  }
  args.out = output_.layout.is_vector() ? output_.data : scratch;
  micro_kernels_.FullyConnectedGroups(args);
  if (!output_.layout.is_vector()) ToHcw(micro_kernels_, scratch, output_, 0, 1);
}

}  // namespace mcpruner
