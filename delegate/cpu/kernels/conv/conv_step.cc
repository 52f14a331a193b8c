#include "delegate/cpu/kernels/conv/conv_step.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "delegate/cpu/step/layout_plan.h"
#include "delegate/graph/window_reach.h"

namespace mcpruner {
namespace {

// Copies of split columns take at most 16 MB of scratch, so that an odd window cannot ask for memory without bound.
// Other limits were not measured.
constexpr int64_t kMaxSplitFloats = int64_t{1} << 22;
// A band's copied input and a block of weights share L2, which has 1 MB and more on cores of this size. Blocks of 128,
// 192 and 384 KB took the same time within 2 % (docs/performance.md); other sizes of bands were not measured.
constexpr int64_t kBandBytes = 256 * 1024;
constexpr int64_t kBlockBytes = 256 * 1024;
// The epilogue is applied behind this many parts of a tile, whose results (at most 12 KB) are still in L1. Other
// numbers were not measured.
constexpr int kEpilogueParts = 8;

ConvStep::Split MakeSplit(const ConvParams& params, const HcwLayout& in, const HcwLayout& out, int lanes) {
  ConvStep::Split split;
  const Window& w = params.window;
  if (w.stride_w == 1) return split;
  const SparseLayer& layer = *params.layer;
  for (int kx = 0; kx < layer.kernel_width; ++kx) {
    split.planes = std::max(split.planes, kx * w.dilation_w % w.stride_w + 1);
  }
  split.plane_columns = out.w + (layer.kernel_width - 1) * w.dilation_w / w.stride_w;
  split.channel_stride = ptrdiff_t{split.planes} * split.plane_columns;
  split.row_stride = in.c * split.channel_stride;
  const int64_t max_rows = kBandBytes / static_cast<int64_t>(sizeof(float)) / std::max<int64_t>(1, split.row_stride);
  const RowReach reach = RowReach::Of(w, layer.kernel_height);
  const int64_t halo = reach.height - w.stride_h;
  split.band_rows = static_cast<int>(std::clamp<int64_t>((max_rows - halo) / w.stride_h, 1, out.h));
  // Vectors that begin inside of the last plane, whether they are read or written, end less than `lanes` behind it.
  split.floats = reach.MostInputRows(split.band_rows) * split.row_stride + lanes;
  return split;
}

// Returns the displacement of each kernel position from the window's first element.
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

// Returns a name such as "conv g4 avx512".
std::string MicroKernelName(const StepContext& context) {
  return "conv g" + std::to_string(std::get<ConvParams>(context.op.params).layer->group_size) + " " +
         context.micro_kernels.target;
}

int PartsPerBlock(const SparseLayer& layer, size_t num_parts) {
  const int64_t bytes = static_cast<int64_t>(layer.values.size() * sizeof(float)) + 1;
  const int64_t blocks = std::max<int64_t>(1, bytes / kBlockBytes);
  return std::max(1, static_cast<int>((static_cast<int64_t>(num_parts) + blocks - 1) / blocks));
}

}  // namespace

std::unique_ptr<Step> MakeDirectConvStep(const StepContext& context) {
  const auto& params = std::get<ConvParams>(context.op.params);
  const HcwLayout& in = context.input(0).layout;
  const HcwLayout& out = context.output().layout;
  ConvStep::Split split = MakeSplit(params, in, out, context.micro_kernels.vector_floats);
  const RowReach reach = RowReach::Of(params.window, params.layer->kernel_height);
  const int64_t window_bytes = reach.height * std::max(in.row_stride(), split.row_stride) * int64_t{sizeof(float)};
  if (window_bytes > std::numeric_limits<int32_t>::max()) return nullptr;
  if (split.planes > 0) {
    if (split.floats > kMaxSplitFloats) return nullptr;
  } else if (!HasBorder(in, ConvReach(context.op, in.shape(), out.shape()))) {
    return nullptr;
  }
  return std::make_unique<ConvStep>(context, std::move(split));
}

ConvStep::ConvStep(const StepContext& context, Split split)
    : Step(MicroKernelName(context), context.NumShares()),
      micro_kernels_(context.micro_kernels),
      input_(context.input(0)),
      output_(context.output()),
      residual_(context.op.inputs.size() > 1 ? &context.input(1) : nullptr),
      window_(std::get<ConvParams>(context.op.params).window),
      layer_(std::get<ConvParams>(context.op.params).layer),
      reach_(RowReach::Of(window_, layer_->kernel_height)),
      activation_(RangeOf(context.op.activation)),
      epilogue_(context.op.epilogue, output_.layout.c),
      split_(std::move(split)),
      shares_run_in_turn_(!context.row_shares.empty()),
      tables_(MakeConvTables(*layer_, Displacements(std::get<ConvParams>(context.op.params), input_.layout, split_),
                             split_.planes > 0 ? split_.channel_stride : input_.layout.pitch)),
      layer_args_(tables_.args()) {
  if (epilogue_.needs_pass()) ListChannels();
  if (shares_run_in_turn_) {
    for (const Range& rows : context.row_shares) AddShares(rows, 1);
  } else {
    AddShares({0, output_.layout.n * output_.layout.h}, num_shares());
  }
}

void ConvStep::ListChannels() {
  for (const ConvPart& part : tables_.parts) {
    part_filters_.push_back(static_cast<int32_t>(channels_.size()));
    channels_.insert(channels_.end(), part.out_channels, part.out_channels + part.num_filters);
  }
  part_filters_.push_back(static_cast<int32_t>(channels_.size()));
}

void ConvStep::AddShares(Range rows, int count) {
  const std::vector<ConvBand> bands = MakeConvBands(output_.layout, rows, split_.band_rows);
  const std::vector<ConvTile> tiles = MakeConvTiles(bands, output_.layout.w, micro_kernels_, VectorCostsOfThisCpu());
  const int block = PartsPerBlock(*layer_, tables_.parts.size());
  for (std::vector<TileParts>& share : ShareConvWork(tiles, tables_.work, block, count)) {
    for (TileParts& work : share) work.tile += static_cast<int>(tiles_.size());
    shares_.push_back(std::move(share));
  }
  tiles_.insert(tiles_.end(), tiles.begin(), tiles.end());
}

ConvTileArgs ConvStep::TileArgs(const ConvTile& tile, const float* scratch) const {
  const HcwLayout& in = input_.layout;
  const HcwLayout& out = output_.layout;
  ConvTileArgs args{};
  args.layer = &layer_args_;
  args.lanes = tile.lanes;
  args.two_rows = tile.two_rows ? 1 : 0;
  args.prefetch = tile.columns <= tile.lanes ? 1 : 0;
  args.num_vectors = tile.num_vectors;
  // Pointers begin at the band's first row.
  const int image = tile.band.image;
  const Range rows{tile.band.first_row, tile.band.last_row};
  if (split_.planes == 0) {
    args.in = input_.Rows(image, reach_.InputRows(rows)) - window_.padding.left;
    args.in_second_row = window_.stride_h * in.row_stride();
  } else {
    args.in = scratch;
    args.in_second_row = window_.stride_h * split_.row_stride;
  }
  args.out = output_.Rows(image, rows);
  args.out_channel_stride = out.pitch;
  args.out_second_row = out.row_stride();
  if (residual_ != nullptr) {
    const HcwLayout& residual = residual_->layout;
    args.residual = residual_->Rows(image, rows);
    args.residual_channel_stride = residual.pitch;
    args.residual_second_row = residual.row_stride();
  }
  args.low = activation_.low;
  args.high = activation_.high;
  args.epilogue = epilogue_.in_registers();
  args.all_whole = 1;
  for (int i = 0; i < tile.num_vectors; ++i) {
    SetVector(tile, i, &args);
    if (args.vectors[i].pixels[0] < tile.lanes) args.all_whole = 0;
  }
  return args;
}

void ConvStep::SetVector(const ConvTile& tile, int i, ConvTileArgs* args) const {
  const HcwLayout& out = output_.layout;
  const ConvTile::Pixels pixels = tile.At(tile.first_vector + i);
  const int row = pixels.y - tile.band.first_row;
  ConvVector& vector = args->vectors[i];
  vector.in = row * args->in_second_row + pixels.x;
  const ptrdiff_t first_out = row * out.row_stride() + pixels.x;
  vector.out = first_out * ptrdiff_t{sizeof(float)};
  if (residual_ != nullptr) {
    vector.residual = (row * residual_->layout.row_stride() + pixels.x) * ptrdiff_t{sizeof(float)};
  }
  vector.pixels[0] = pixels.store_first ? pixels.count : 0;
  vector.pixels[1] = pixels.store_second ? pixels.count : 0;
  vector.stored[0] = vector.pixels[0];
  vector.stored[1] = vector.pixels[1];
  const int behind = pixels.x + pixels.count == out.w ? out.fill() : 0;
  if (behind == 0) return;
  const int lanes = tile.two_rows ? tile.lanes / 2 : tile.lanes;
  for (int row_of_two = 0; row_of_two < 2; ++row_of_two) {
    if (vector.pixels[row_of_two] == 0) continue;
    const int end = pixels.count + behind, stored = std::min(end, lanes);
    vector.stored[row_of_two] = stored;
    if (stored > pixels.count) args->fills = 1;
    if (stored == end) continue;
    args->zeros[args->num_zeros++] = {first_out + row_of_two * args->out_second_row + stored, end - stored};
  }
}

UnaryRunsArgs ConvStep::RunsOf(const ConvTileArgs& args) const {
  UnaryRunsArgs runs{};
  runs.out = args.out;
  runs.channel_stride = args.out_channel_stride;
  runs.function = epilogue_.function();
  for (int i = 0; i < args.num_vectors; ++i) {
    for (int row = 0; row < 2; ++row) {
      const int32_t count = args.vectors[i].pixels[row];
      const ptrdiff_t first = args.vectors[i].out / ptrdiff_t{sizeof(float)} + row * args.out_second_row;
      UnaryRun* const before = runs.num_runs > 0 ? &runs.runs[runs.num_runs - 1] : nullptr;
      if (before != nullptr && before->first + before->count == first) {
        before->count += count;
      } else if (count > 0) {
        runs.runs[runs.num_runs++] = {first, count};
      }
    }
  }
  return runs;
}

ConvStep::Ahead ConvStep::InputAhead(const ConvTile& tile) const {
  // Scratch is in L2 already, and the first panel brings in the rows for all panels.
  if (split_.planes > 0 || tile.x > 0) return {};
  const HcwLayout& in = input_.layout;
  const Range there = input_.There();
  // Returns how far into the input the vectors before `vector` read, and the next row of them.
  const auto bytes_of = [&](int vector) {
    const double row = tile.RowOf(vector) + 1;
    const double end = row * window_.stride_h - window_.padding.top + reach_.height;
    const double rows = std::clamp<double>(end, there.begin, there.end) - there.begin;
    return static_cast<ptrdiff_t>(rows * static_cast<double>(in.row_stride())) * ptrdiff_t{sizeof(float)};
  };
  const ptrdiff_t begin = bytes_of(tile.first_vector), end = bytes_of(tile.first_vector + tile.num_vectors);
  const auto* first = reinterpret_cast<const char*>(input_.Rows(tile.band.image, there) - in.border.left);
  return {first + begin, static_cast<int>((end - begin) / 64)};
}

void ConvStep::SplitInput(const ConvBand& band, float* scratch) const {
  const HcwLayout& in = input_.layout;
  SplitColumnsArgs args{};
  args.in_channel_stride = in.pitch;
  args.channels = in.c;
  args.width = in.w;
  args.first_column = -window_.padding.left;
  args.stride = window_.stride_w;
  args.planes = split_.planes;
  args.plane_columns = split_.plane_columns;
  args.plane_stride = split_.plane_columns;
  args.out_channel_stride = split_.channel_stride;
  const Range rows = reach_.InputRows({band.first_row, band.last_row});
  for (int y = rows.begin; y < rows.end; ++y) {
    const int r = y - rows.begin;
    if (!RowIsRead(r)) continue;
    args.in = y >= 0 && y < in.h ? input_.Rows(band.image, {y, y + 1}) : nullptr;
    args.out = scratch + r * split_.row_stride;
    micro_kernels_.SplitColumns(args);
  }
}

// Returns whether some tap of some output row of the band reads this input row.
bool ConvStep::RowIsRead(int row) const {
  for (int ky = 0; ky < layer_->kernel_height; ++ky) {
    const int from_window = row - ky * window_.dilation_h;
    if (from_window >= 0 && from_window % window_.stride_h == 0) return true;
  }
  return false;
}

void ConvStep::RunParts(const MicroKernels& micro_kernels, const TileParts& work, ConvTileArgs args,
                        UnaryRunsArgs* runs) const {
  const int together = epilogue_.needs_pass() ? kEpilogueParts : work.last_part;
  for (int first = work.first_part; first < work.last_part; first += together) {
    args.first_part = first;
    args.last_part = std::min(work.last_part, first + together);
    micro_kernels.ConvTile(args);
    if (!epilogue_.needs_pass()) continue;
    const int32_t *const begin = &part_filters_[static_cast<size_t>(first)],
                         *const end = &part_filters_[static_cast<size_t>(args.last_part)];
    runs->channels = channels_.data() + *begin;
    runs->num_channels = *end - *begin;
    micro_kernels.UnaryRuns(*runs);
  }
}

void ConvStep::Run(int share) const {
  const MicroKernels& micro_kernels =
      micro_kernels_.OfThisCore != nullptr ? micro_kernels_.OfThisCore() : micro_kernels_;
  float* const scratch = this->scratch() + (shares_run_in_turn_ ? 0 : share) * split_.floats;
  ConvTileArgs args{};
  UnaryRunsArgs runs{};
  Ahead ahead;
  int tile = -1, sweep = -1;  // the tile of `args`, and the sweep of what lies in scratch
  for (const TileParts& work : shares_[static_cast<size_t>(share)]) {
    if (work.tile != tile) {
      tile = work.tile;
      const ConvTile& t = tiles_[static_cast<size_t>(tile)];
      if (split_.planes > 0 && t.band.sweep != sweep) {
        sweep = t.band.sweep;
        SplitInput(t.band, scratch);
      }
      args = TileArgs(t, scratch);
      ahead = InputAhead(t);
      if (epilogue_.needs_pass()) runs = RunsOf(args);
    }
    args.ahead = ahead.begin;
    args.ahead_lines = ahead.lines / (work.last_part - work.first_part);
    RunParts(micro_kernels, work, args, &runs);
  }
}

}  // namespace mcpruner
