#include "delegate/cpu/stream_plan.h"

#include <algorithm>

namespace mcpruner {
namespace {

// Rows that an op with weights, or with windows that overlap, makes in a band: fewer would pass the weights, and move
// the rows that are kept, too often.
constexpr int kMinBandRows = 4;

// The rows of an op's first input that row y of its output is made of: y * stride - padding and `height` in all.
struct RowWindow {
  int stride = 1, padding = 0, height = 1;

  // That rows are made of.
  Range Input(Range rows) const { return {rows.begin * stride - padding, (rows.end - 1) * stride - padding + height}; }
};

RowWindow MakeRowWindow(const Window& window, int kernel_height) {
  return {window.stride_h, window.padding.top, (kernel_height - 1) * window.dilation_h + 1};
}

// False for an op that is not made row by row.
bool FindRowWindow(const Op& op, RowWindow* window) {
  *window = {};
  if (const auto* conv = std::get_if<ConvParams>(&op.params)) {
    *window = MakeRowWindow(conv->window, conv->layer->kernel_height);
  } else if (const auto* depthwise = std::get_if<DepthwiseParams>(&op.params)) {
    *window = MakeRowWindow(depthwise->window, depthwise->kernel_height);
  } else if (const auto* pool = std::get_if<PoolParams>(&op.params)) {
    *window = MakeRowWindow(pool->window, pool->filter_height);
  } else {
    return op.type == OpType::kUnary;
  }
  return true;
}

RowWindow RowWindowOf(const Op& op) {
  RowWindow window;
  FindRowWindow(op, &window);
  return window;
}

// How often each tensor is read, by ops or by the caller.
std::vector<int> CountReaders(const Graph& graph) {
  std::vector<int> readers(graph.tensors.size());
  for (const Op& op : graph.ops) {
    for (const int input : op.inputs) ++readers[static_cast<size_t>(input)];
  }
  for (const int output : graph.outputs) ++readers[static_cast<size_t>(output)];
  return readers;
}

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<HcwLayout>& layouts, int64_t l2_bytes)
      : graph_(graph), layouts_(layouts), l2_bytes_(l2_bytes), readers_(CountReaders(graph)) {}

  // The chains that keep most in the cache: from the last op to the first, the best chain that begins there.
  std::vector<Chain> Plan() const {
    const size_t num_ops = graph_.ops.size();
    std::vector<Chain> best(num_ops);
    std::vector<int64_t> gains(num_ops + 1);  // of the ops from here on
    for (size_t k = num_ops; k-- > 0;) {
      best[k] = {k, 1, 0};
      gains[k] = gains[k + 1];
      int64_t gain = 0;
      for (size_t last = k; Follows(last); ++last) {
        const Chain chain = WithBands({k, last + 2 - k, 0});
        if (chain.band_rows < FewestRows(chain)) break;
        gain += Gain(last);
        if (gain + gains[last + 2] <= gains[k]) continue;
        best[k] = chain;
        gains[k] = gain + gains[last + 2];
      }
    }
    std::vector<Chain> plan;
    for (size_t k = 0; k < num_ops; k += plan.back().num_ops) plan.push_back(best[k]);
    return plan;
  }

 private:
  const Op& op(size_t k) const { return graph_.ops[k]; }
  const HcwLayout& OutputLayout(size_t k) const { return layouts_[static_cast<size_t>(op(k).output)]; }
  // Of streaming the output of op k: the bytes that the cache would not hold.
  int64_t Gain(size_t k) const {
    const int64_t bytes = OutputLayout(k).BufferFloats() * static_cast<int64_t>(sizeof(float));
    return std::max<int64_t>(0, bytes - l2_bytes_);
  }

  // Whether op k + 1 can be streamed behind op k.
  bool Follows(size_t k) const {
    if (k + 1 >= graph_.ops.size()) return false;
    const int between = op(k).output;
    RowWindow window;
    return FindRowWindow(op(k), &window) && FindRowWindow(op(k + 1), &window) && op(k + 1).inputs[0] == between &&
           readers_[static_cast<size_t>(between)] == 1 && OutputLayout(k).elements() > 0 &&
           OutputLayout(k + 1).elements() > 0;
  }

  // Bytes of all tensors between the chain's ops for bands of `rows` rows.
  int64_t BandBytes(const Chain& chain, int64_t rows) const {
    int64_t floats = 0;
    for (size_t k = chain.first_op + chain.num_ops - 1; k > chain.first_op; --k) {
      const RowWindow window = RowWindowOf(op(k));
      floats += ((rows - 1) * window.stride + window.height) * OutputLayout(k - 1).row_stride();
      rows *= window.stride;
    }
    return floats * static_cast<int64_t>(sizeof(float));
  }

  // Of the last op, so that each op makes kMinBandRows of its own if it needs to.
  int FewestRows(const Chain& chain) const {
    int fewest = 1, rows = 1;  // of op k for one of the last op
    for (size_t k = chain.first_op + chain.num_ops; k-- > chain.first_op;) {
      const RowWindow window = RowWindowOf(op(k));
      const bool has_weights = op(k).type == OpType::kConv || op(k).type == OpType::kDepthwiseConv;
      if (has_weights || window.height > window.stride) fewest = std::max(fewest, (kMinBandRows + rows - 1) / rows);
      rows *= window.stride;
    }
    return fewest;
  }

  // With as many rows in a band as fit half of L2, or the fewest if they fit five eighths; the rest is for weights, the
  // chain's input and its output.
  Chain WithBands(Chain chain) const {
    const int height = OutputLayout(chain.first_op + chain.num_ops - 1).h;
    const int fewest = std::min(FewestRows(chain), height);
    if (BandBytes(chain, fewest) > l2_bytes_ / 8 * 5) return chain;
    chain.band_rows = fewest;
    while (chain.band_rows < height && BandBytes(chain, chain.band_rows + 1) <= l2_bytes_ / 2) ++chain.band_rows;
    return chain;
  }

  const Graph& graph_;
  const std::vector<HcwLayout>& layouts_;
  const int64_t l2_bytes_;
  const std::vector<int> readers_;
};

// Rows of all ops but the last, whose `made` is set. `before` is the band before it in the same image, or empty.
void FillBand(const std::vector<RowWindow>& windows, const std::vector<int>& heights, const Band& before, Band* band) {
  for (size_t i = windows.size() - 1; i-- > 0;) {
    Band::OpRows& rows = band->ops[i];
    const int end = before.ops[i].made.end;
    const Range next = band->ops[i + 1].made;
    if (next.begin >= next.end) {  // nothing is read, everything stays
      rows = {{end, end}, before.ops[i].there};
      continue;
    }
    rows.there = windows[i + 1].Input(next);
    rows.made.begin = std::max({end, rows.there.begin, 0});
    rows.made.end = std::max(rows.made.begin, std::min(rows.there.end, heights[i]));
  }
}

}  // namespace

std::vector<Chain> PlanChains(const Graph& graph, const std::vector<HcwLayout>& layouts, int64_t l2_bytes) {
  return Planner(graph, layouts, l2_bytes).Plan();
}

std::vector<Band> PlanBands(const Graph& graph, const Chain& chain, Range rows) {
  std::vector<RowWindow> windows;
  std::vector<int> heights;
  for (size_t i = 0; i < chain.num_ops; ++i) {
    const Op& op = graph.ops[chain.first_op + i];
    windows.push_back(RowWindowOf(op));
    heights.push_back(graph.tensor(op.output).shape.h);
  }
  std::vector<Band> bands;
  for (int row = rows.begin; row < rows.end;) {
    const int image = row / heights.back(), first = row % heights.back();
    const int last = std::min(heights.back(), first + rows.end - row);
    Band before{image, std::vector<Band::OpRows>(chain.num_ops)};
    const int count = (last - first + chain.band_rows - 1) / chain.band_rows;
    for (int i = 0; i < count; ++i) {
      Band band{image, std::vector<Band::OpRows>(chain.num_ops)};
      const Range part = EvenShare(last - first, i, count);
      band.ops.back().made = {first + part.begin, first + part.end};
      FillBand(windows, heights, before, &band);
      before = band;
      bands.push_back(std::move(band));
    }
    row += last - first;
  }
  return bands;
}

}  // namespace mcpruner
