#include "delegate/cpu/kernels/winograd/winograd_step.h"

#include <algorithm>
#include <utility>

#include "delegate/base/limits.h"
#include "delegate/cpu/kernels/row_step.h"
#include "delegate/cpu/kernels/winograd/row_winograd.h"
#include "delegate/graph/window_reach.h"

namespace mcpruner {
namespace {

// Tiles are made several at once, up to kMaxTilesAtOnce, as long as their M has at most kProductBytes: M then stays in
// L2. Other limits were not measured.
constexpr int64_t kProductBytes = 256 * 1024;
constexpr int kMaxTilesAtOnce = 8;
// The transforms of one product cost as much as this many multiply-adds. This was fitted to layers of 3 to 64 channels:
// those of few channels do not gain (docs/performance.md).
constexpr int kTransformWork = 12;
// With fewer output pixels in a channel, the products' weights, up to twice as many, are not worth their memory: 512
// channels of 7x7 pixels went from 2.3 to 1.8 ms, of 4x4 from 1.1 to 1.4 ms (docs/performance.md).
constexpr int kMinPixels = 64;

// Terms are what a RowTransform adds up.
struct Terms {
  std::vector<RowTransformTerm> terms;
  std::vector<int32_t> begin;
};

// Makes the terms of `matrix` for rows `rows` of its input, which lie `row_stride` floats apart. Its other elements are
// zero and left out.
void FillTerms(const RowWinograd::Matrix& matrix, ptrdiff_t row_stride, Range rows, Terms* terms) {
  terms->terms.clear();
  terms->begin.assign(1, 0);
  for (int r = 0; r < matrix.rows; ++r) {
    for (int k = rows.begin; k < rows.end; ++k) {
      if (matrix.at(r, k) == 0) continue;
      const ptrdiff_t floats = (k - rows.begin) * row_stride;
      terms->terms.push_back({floats * ptrdiff_t{sizeof(float)}, static_cast<float>(matrix.at(r, k))});
    }
    terms->begin.push_back(static_cast<int32_t>(terms->terms.size()));
  }
}

int TilesAtOnce(const SparseLayer& products, const HcwLayout& out) {
  const int64_t tile_bytes =
      MakeLayout({1, 1, out.w, products.out_channels}, {}).BufferFloats() * int64_t{sizeof(float)};
  const int tiles = (out.h + kWinogradTileRows - 1) / kWinogradTileRows;
  return static_cast<int>(std::clamp<int64_t>(kProductBytes / tile_bytes, 1, std::min(tiles, kMaxTilesAtOnce)));
}

bool SavesTime(const SparseLayer& layer, const Window& window, const HcwLayout& out) {
  const int64_t row_work = int64_t{layer.kernel_width} * layer.in_channels;
  const int64_t products = layer.kernel_height + window.stride_h * (kWinogradTileRows - 1);
  const int64_t tiles = (out.h + kWinogradTileRows - 1) / kWinogradTileRows;
  return out.h * out.w >= kMinPixels &&
         tiles * products * (row_work + kTransformWork) < int64_t{out.h} * layer.kernel_height * row_work;
}

bool CanRun(const StepContext& context) {
  const auto& params = std::get<ConvParams>(context.op.params);
  const SparseLayer& layer = *params.layer;
  const Window& window = params.window;
  const HcwLayout& out = context.output().layout;
  return context.op.inputs.size() == 1 && window.dilation_h == 1 && window.dilation_w == 1 &&
         HasRowWinograd(layer.kernel_height, window.stride_h) && layer.out_channels % kConvMaxFilters == 0 &&
         SavesTime(layer, window, out) && layer.Density() == 1.0 &&
         int64_t{std::max(layer.in_channels, layer.out_channels)} *
                 (layer.kernel_height + window.stride_h * (kWinogradTileRows - 1)) <=
             kMaxChannels;
}

class WinogradStep : public RowStep {
 public:
  // Returns null where the products cannot be run.
  static std::unique_ptr<Step> Make(const StepContext& context, MakeStepFunction make_products) {
    std::unique_ptr<WinogradStep> step(new WinogradStep(context));
    for (int workspace = 0; workspace < step->num_workspaces(); ++workspace) {
      if (!step->AddWorkspace(context, make_products)) return nullptr;
    }
    return step;
  }

  int64_t ScratchFloats() const override { return num_workspaces() * WorkspaceFloats(); }

  // The step reads what whole tiles need, although some of their rows may not be wanted. So no bit of a row depends on
  // how rows are divided into shares.
  std::optional<RowReach> Reach() const override {
    RowReach reach = RowReach::Of(params_.window, params_.layer->kernel_height);
    reach.tile = kWinogradTileRows;
    return reach;
  }

  void Run(int share) const override {
    Workspace& workspace = *workspaces_[static_cast<size_t>(WorkspaceOf(share))];
    float* const scratch = this->scratch() + WorkspaceOf(share) * WorkspaceFloats();
    workspace.v().data = scratch;
    workspace.m().data = workspace.v().data + workspace.v().layout.BufferFloats();
    workspace.conv->set_scratch(workspace.m().data + workspace.m().layout.BufferFloats());
    ClearBorders(workspace.v().layout, workspace.v().data);
    ForRowRanges(share, [&](int image, int first, int count, float*) {
      const int end = first + count;
      for (int row = first - first % kWinogradTileRows; row < end; row += tiles_at_once_ * kWinogradTileRows) {
        const int tiles = std::min(tiles_at_once_, (end - row + kWinogradTileRows - 1) / kWinogradTileRows);
        for (int t = 0; t < tiles; ++t) TransformInput(workspace, image, row + t * kWinogradTileRows, t);
        workspace.conv->Run(tiles - 1);  // its share k makes k + 1 tiles
        for (int t = 0; t < tiles; ++t) TransformOutput(workspace, image, row + t * kWinogradTileRows, t, {first, end});
      }
    });
  }

 private:
  // A Workspace is a V and an M. Shares that run at the same time have workspaces of their own.
  struct Workspace {
    std::vector<TensorRef> tensors;
    std::unique_ptr<Step> conv;
    Terms input_terms;  // of one tile
    TensorRef& v() { return tensors[0]; }
    TensorRef& m() { return tensors[1]; }
  };

  explicit WinogradStep(const StepContext& context)
      : RowStep("conv row-winograd", context),
        params_(std::get<ConvParams>(context.op.params)),
        winograd_(MakeRowWinograd(params_.layer->kernel_height, params_.window.stride_h)),
        products_(std::make_shared<SparseLayer>(MakeProductLayer(*params_.layer, winograd_))),
        tiles_at_once_(TilesAtOnce(*products_, output().layout)) {
    product_op_.type = OpType::kConv;
    product_op_.inputs = {0};
    product_op_.output = 1;
    Window window = params_.window;
    window.stride_h = 1;
    window.padding.top = window.padding.bottom = 0;
    product_op_.params = ConvParams{window, products_};
    for (int tiles = 1; tiles <= tiles_at_once_; ++tiles) tile_shares_.push_back({0, tiles});
    const HcwLayout m = ProductLayout();
    FillTerms(winograd_.output, ptrdiff_t{output().layout.c} * m.pitch, {0, winograd_.products}, &output_terms_);
  }

  HcwLayout ProductLayout() const {
    return MakeLayout({1, tiles_at_once_, output().layout.w, products_->out_channels}, {});
  }

  bool AddWorkspace(const StepContext& context, MakeStepFunction make_products) {
    const HcwLayout& in = input().layout;
    const Window& window = std::get<ConvParams>(product_op_.params).window;
    const HcwLayout m = ProductLayout();
    const Shape v{1, tiles_at_once_, in.w, products_->in_channels};
    Padding2D border;
    if (window.stride_w == 1) border = ConvReach(product_op_, v, m.shape());
    if (std::max(border.left, border.right) > kMaxBorder) return false;
    auto workspace = std::make_unique<Workspace>();
    workspace->tensors = {{MakeLayout(v, border), nullptr}, {m, nullptr}};
    workspace->input_terms.terms.reserve(winograd_.input.elements.size());
    workspace->input_terms.begin.reserve(static_cast<size_t>(winograd_.products) + 1);
    workspace->conv = make_products({context.graph, product_op_, workspace->tensors, micro_kernels(), 1, tile_shares_});
    if (workspace->conv == nullptr) return false;
    workspaces_.push_back(std::move(workspace));
    return true;
  }

  int64_t WorkspaceFloats() const {
    Workspace& workspace = *workspaces_[0];
    return workspace.v().layout.BufferFloats() + workspace.m().layout.BufferFloats() + workspace.conv->ScratchFloats();
  }

  // Computes V of the tile that begins with output row `row`.
  void TransformInput(Workspace& workspace, int image, int row, int tile) const {
    const HcwLayout &in = input().layout, &v = workspace.v().layout;
    const int y = row * params_.window.stride_h - params_.window.padding.top;
    const Range read{std::clamp(y, 0, in.h), std::clamp(y + winograd_.input_rows, 0, in.h)};
    FillTerms(winograd_.input, in.row_stride(), {read.begin - y, read.end - y}, &workspace.input_terms);
    RowTransformArgs args{};
    args.in = read.begin < read.end ? input().Rows(image, read) : input().data;
    args.in_pitch = in.pitch;
    args.terms = workspace.input_terms.terms.data();
    args.term_begin = workspace.input_terms.begin.data();
    args.out_rows = winograd_.products;
    args.out = workspace.v().Rows(0, {tile, tile + 1});
    args.out_row_stride = ptrdiff_t{in.c} * v.pitch;
    args.out_pitch = v.pitch;
    args.channels = in.c;
    args.width = in.w;
    args.end.zeros_behind = v.fill();
    micro_kernels().RowTransform(args);
  }

  // Computes those of the tile's output rows that are in `made`.
  void TransformOutput(Workspace& workspace, int image, int row, int tile, Range made) const {
    const HcwLayout &out = output().layout, &m = workspace.m().layout;
    const int first = std::max(made.begin, row), last = std::min(made.end, row + kWinogradTileRows);
    RowTransformArgs args{};
    args.in = workspace.m().Rows(0, {tile, tile + 1});
    args.in_pitch = m.pitch;
    args.terms = output_terms_.terms.data();
    args.term_begin = output_terms_.begin.data() + (first - row);
    args.out_rows = last - first;
    args.out = output().Rows(image, {first, last});
    args.out_row_stride = out.row_stride();
    args.out_pitch = out.pitch;
    args.channels = out.c;
    args.width = out.w;
    args.bias = params_.layer->bias.data();
    args.end = End();
    micro_kernels().RowTransform(args);
    ApplyEpilogue(args.out, args.out_rows);
  }

  const ConvParams params_;
  const RowWinograd winograd_;
  const std::shared_ptr<const SparseLayer> products_;
  const int tiles_at_once_;
  Op product_op_;
  std::vector<Range> tile_shares_;
  Terms output_terms_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
};

}  // namespace

std::unique_ptr<Step> MakeWinogradConvStep(const StepContext& context, MakeStepFunction make_products) {
  return CanRun(context) ? WinogradStep::Make(context, make_products) : nullptr;
}

}  // namespace mcpruner
