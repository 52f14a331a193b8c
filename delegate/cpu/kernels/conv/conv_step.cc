#include "delegate/cpu/kernels/conv/conv_step.h"

#include <algorithm>
#include <string>
#include <utility>

#include "delegate/cpu/kernels/fully_connected/fully_connected_step.h"
#include "delegate/cpu/layout_plan.h"

namespace mcpruner {
namespace {

constexpr int64_t kMaxSplitFloats = int64_t{1} << 22;
// Weights that share L2 (1 MB and up on cores of this size) with a tile's input.
constexpr int64_t kBlockBytes = 256 * 1024;

// Size of the tallest and the widest tile.
ConvTile Largest(const std::vector<ConvTile>& tiles) {
  ConvTile largest;
  for (const ConvTile& tile : tiles) {
    largest.rows = std::max(largest.rows, tile.rows);
    largest.columns = std::max(largest.columns, tile.vectors * tile.lanes);
  }
  return largest;
}

ConvStep::Split MakeSplit(const ConvParams& params, const std::vector<ConvTile>& tiles) {
  ConvStep::Split split;
  const Window& w = params.window;
  if (w.stride_w == 1) return split;
  const SparseLayer& layer = *params.layer;
  const ConvTile largest = Largest(tiles);
  split.tile_rows = largest.rows;
  for (int kx = 0; kx < layer.kernel_width; ++kx) {
    split.planes = std::max(split.planes, kx * w.dilation_w % w.stride_w + 1);
  }
  split.extra_columns = (layer.kernel_width - 1) * w.dilation_w / w.stride_w;
  split.plane_columns = largest.columns + split.extra_columns;
  split.rows = (largest.rows - 1) * w.stride_h + (layer.kernel_height - 1) * w.dilation_h + 1;
  split.channel_stride = ptrdiff_t{split.planes} * split.plane_columns;
  split.row_stride = layer.in_channels * split.channel_stride;
  split.row_is_read.resize(static_cast<size_t>(split.rows));
  for (int r = 0; r < largest.rows; ++r) {
    for (int ky = 0; ky < layer.kernel_height; ++ky) {
      split.row_is_read[static_cast<size_t>(r * w.stride_h + ky * w.dilation_h)] = true;
    }
  }
  return split;
}

// Of each kernel position, from the window's first element.
std::vector<ptrdiff_t> Displacements(const ConvParams& params, const HcwLayout& in, const ConvStep::Split& split) {
  const Window& w = params.window;
  const ptrdiff_t row_stride = split.planes > 0 ? split.row_stride : in.row_stride();
  std::vector<ptrdiff_t> displacements;
  for (int ky = 0; ky < params.layer->kernel_height; ++ky) {
    for (int kx = 0; kx < params.layer->kernel_width; ++kx) {
      const int column = kx * w.dilation_w;
      const ptrdiff_t in_row = split.planes > 0
                                   ? ptrdiff_t{column % w.stride_w} * split.plane_columns + column / w.stride_w
                                   : ptrdiff_t{column};
      displacements.push_back(ptrdiff_t{ky} * w.dilation_h * row_stride + in_row);
    }
  }
  return displacements;
}

// "conv g4 r2v3 avx512", with the size of the first tile.
std::string KernelName(const StepContext& context, const ConvTile& tile) {
  const SparseLayer& layer = *std::get<ConvParams>(context.op.params).layer;
  return "conv g" + std::to_string(layer.group_size) + " r" + std::to_string(tile.rows) + "v" +
         std::to_string(tile.vectors) +
         (tile.lanes < context.kernels.vector_floats ? "x" + std::to_string(tile.lanes) : "") + " " +
         context.kernels.target;
}

int PartsPerBlock(const SparseLayer& layer, size_t num_parts) {
  const int64_t bytes = static_cast<int64_t>(layer.values.size() * sizeof(float)) + 1;
  const int64_t blocks = std::max<int64_t>(1, bytes / kBlockBytes);
  return std::max(1, static_cast<int>((static_cast<int64_t>(num_parts) + blocks - 1) / blocks));
}

}  // namespace

std::unique_ptr<Step> MakeConvStep(const StepContext& context) {
  if (std::unique_ptr<Step> step = MakePixelConvStep(context)) return step;
  const auto& params = std::get<ConvParams>(context.op.params);
  const HcwLayout& in = context.input(0).layout;
  const HcwLayout& out = context.output().layout;
  std::vector<ConvTile> tiles = MakeConvTiles(out, context.kernels);
  ConvStep::Split split = MakeSplit(params, tiles);
  if (split.planes > 0) {
    if (split.floats() > kMaxSplitFloats) return nullptr;
  } else if (!HasBorder(in,
                        WindowReach(params.window, params.layer->kernel_height, params.layer->kernel_width, in, out))) {
    return nullptr;
  }
  return std::make_unique<ConvStep>(context, std::move(tiles), std::move(split));
}

ConvStep::ConvStep(const StepContext& context, std::vector<ConvTile> tiles, Split split)
    : Step(KernelName(context, tiles[0]), context.num_threads),
      kernels_(context.kernels),
      input_(context.input(0)),
      output_(context.output()),
      residual_(context.op.inputs.size() > 1 ? &context.input(1) : nullptr),
      window_(std::get<ConvParams>(context.op.params).window),
      layer_(std::get<ConvParams>(context.op.params).layer),
      activation_(RangeOf(context.op.activation)),
      tiles_(std::move(tiles)),
      split_(std::move(split)),
      tables_(MakeConvTables(*layer_, Displacements(std::get<ConvParams>(context.op.params), input_.layout, split_))),
      layer_args_(tables_.args(layer_->group_size)),
      shares_(ShareConvWork(tiles_, tables_.work, PartsPerBlock(*layer_, tables_.parts.size()), num_shares())) {}

ConvTileArgs ConvStep::TileArgs(const ConvTile& tile) const {
  const HcwLayout& in = input_.layout;
  const HcwLayout& out = output_.layout;
  ConvTileArgs args{};
  args.layer = &layer_args_;
  args.lanes = tile.lanes;
  args.rows = tile.rows;
  args.vectors = tile.vectors;
  args.columns = tile.columns;
  if (split_.planes == 0) {
    const int y = tile.y * window_.stride_h - window_.padding.top;
    args.in = input_.data + in.Pixel(tile.image, y, 0, tile.x - window_.padding.left);
    args.in_row_stride = window_.stride_h * in.row_stride();
    args.in_channel_stride = in.pitch;
  } else {
    args.in_row_stride = window_.stride_h * split_.row_stride;
    args.in_channel_stride = split_.channel_stride;
  }
  args.out = output_.data + out.Pixel(tile.image, tile.y, 0, tile.x);
  args.out_row_stride = out.row_stride();
  args.out_channel_stride = out.pitch;
  args.zeros_before = tile.x == 0 ? out.border.left : 0;
  args.zeros_behind = tile.x + tile.columns == out.w ? out.fill() : 0;
  if (residual_ != nullptr) {
    const HcwLayout& residual = residual_->layout;
    args.residual = residual_->data + residual.Pixel(tile.image, tile.y, 0, tile.x);
    args.residual_row_stride = residual.row_stride();
    args.residual_channel_stride = residual.pitch;
  }
  args.clamp = activation_.clamp ? 1 : 0;
  args.low = activation_.low;
  args.high = activation_.high;
  return args;
}

const float* ConvStep::SplitInput(const ConvTile& tile, float* scratch) const {
  const HcwLayout& in = input_.layout;
  SplitColumnsArgs args{};
  args.in_channel_stride = in.pitch;
  args.channels = in.c;
  args.width = in.w;
  args.first_column = tile.x * window_.stride_w - window_.padding.left;
  args.stride = window_.stride_w;
  args.planes = split_.planes;
  args.plane_columns = tile.vectors * tile.lanes + split_.extra_columns;
  args.plane_stride = split_.plane_columns;
  args.out_channel_stride = split_.channel_stride;
  const int rows = split_.rows - (split_.tile_rows - tile.rows) * window_.stride_h;
  for (int r = 0; r < rows; ++r) {
    if (!split_.row_is_read[static_cast<size_t>(r)]) continue;
    const int y = tile.y * window_.stride_h - window_.padding.top + r;
    args.in = y >= 0 && y < in.h ? input_.data + in.Pixel(tile.image, y, 0, 0) : nullptr;
    args.out = scratch + r * split_.row_stride;
    kernels_.SplitColumns(args);
  }
  return scratch;
}

void ConvStep::Run(int share) const {
  float* const scratch = this->scratch() + share * split_.floats();
  ConvTileArgs args{};
  int tile = -1;  // whose args these are
  for (const ConvWork& work : shares_[static_cast<size_t>(share)]) {
    if (work.tile != tile) {
      tile = work.tile;
      args = TileArgs(tiles_[static_cast<size_t>(tile)]);
      if (split_.planes > 0) args.in = SplitInput(tiles_[static_cast<size_t>(tile)], scratch);
    }
    args.first_part = work.first_part;
    args.last_part = work.last_part;
    kernels_.ConvTile(args);
  }
}

}  // namespace mcpruner
