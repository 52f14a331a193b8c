#include "delegate/cpu/engine/stream_plan.h"

#include <algorithm>
#include <cmath>

#include "delegate/graph/passes/lifetimes.h"

namespace mcpruner {
namespace {

// An op with weights, or with windows that overlap, makes at least this many rows in a band: with fewer, its weights
// would be read, and the rows that are kept would be moved, too often. Other values than 4 were not measured.
constexpr int kMinBandRows = 4;
// Numbers of rows are fractions where an op makes more rows than it reads. This much of a row is an error of rounding.
constexpr double kRounding = 1e-6;
constexpr double kMostBandRows = 1 << 30;  // no image has more

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<HcwLayout>& layouts, const Reaches& reaches, int64_t l2_bytes)
      : graph_(graph), layouts_(layouts), reaches_(reaches), l2_bytes_(l2_bytes), readers_(CountReaders(graph)) {}

  // Returns the chains that keep most in the cache. It goes from the last op to the first and finds the best chain that
  // begins at each.
  std::vector<Chain> Plan() const {
    const size_t num_ops = graph_.ops.size();
    std::vector<Chain> best(num_ops);
    std::vector<int64_t> gains(num_ops + 1);  // of all ops from this one on
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
  // Returns what is gained by streaming the output of op k: the bytes that the cache would not hold.
  int64_t Gain(size_t k) const {
    const int64_t bytes = OutputLayout(k).BufferFloats() * static_cast<int64_t>(sizeof(float));
    return std::max<int64_t>(0, bytes - l2_bytes_);
  }

  // Returns whether op k + 1 can be streamed behind op k.
  bool Follows(size_t k) const {
    if (k + 1 >= graph_.ops.size()) return false;
    const int between = op(k).output;
    return reaches_[k].has_value() && reaches_[k + 1].has_value() && op(k + 1).inputs[0] == between &&
           readers_[static_cast<size_t>(between)] == 1;
  }

  // Returns the bytes of all tensors between the chain's ops for bands of `rows` rows.
  int64_t BandBytes(const Chain& chain, int64_t rows) const {
    int64_t floats = 0;
    for (size_t k = chain.first_op + chain.num_ops - 1; k > chain.first_op; --k) {
      floats += reaches_[k]->MostInputRows(rows) * OutputLayout(k - 1).row_stride();
      const RowReach& reach = *reaches_[k];
      rows = std::min<int64_t>((rows * reach.stride + reach.divisor - 1) / reach.divisor, OutputLayout(k - 1).h);
    }
    return floats * static_cast<int64_t>(sizeof(float));
  }

  // Returns how many rows the last op must make in a band for each op to make kMinBandRows of its own, if it needs to.
  int FewestRows(const Chain& chain) const {
    int fewest = 1;
    double rows = 1;  // of op k for one row of the last op, if they are fewer than kMinBandRows
    for (size_t k = chain.first_op + chain.num_ops; k-- > chain.first_op;) {
      const RowReach& reach = *reaches_[k];
      const bool has_weights = op(k).type == OpType::kConv || op(k).type == OpType::kDepthwiseConv;
      if (has_weights || int64_t{reach.height} * reach.divisor > reach.stride) {
        const double needed = std::ceil(kMinBandRows / rows - kRounding);
        fewest = static_cast<int>(std::max<double>(fewest, std::min(needed, kMostBandRows)));
      }
      rows = std::min<double>(rows * reach.stride / reach.divisor, kMinBandRows);
    }
    return fewest;
  }

  // Gives the chain as many rows in a band as fit half of L2, or the fewest if these fit five eighths. The rest of L2
  // is for weights, the chain's input and its output; the two fractions were not measured.
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
  const Reaches& reaches_;
  const int64_t l2_bytes_;
  const std::vector<int> readers_;
};

// Fills in the rows of all ops but the last, whose `made` is set. `before` is the band before this one in the same
// image, or empty.
void FillBand(const std::optional<RowReach>* reaches, const std::vector<int>& heights, const Band& before, Band* band) {
  for (size_t i = heights.size() - 1; i-- > 0;) {
    Band::OpRows& rows = band->ops[i];
    const int end = before.ops[i].made.end;
    const Range next = band->ops[i + 1].made;
    if (next.begin >= next.end) {  // nothing is read, so everything stays
      rows = {{end, end}, before.ops[i].there};
      continue;
    }
    rows.there = reaches[i + 1]->InputRows(next);
    rows.made.begin = std::max({end, rows.there.begin, 0});
    rows.made.end = std::max(rows.made.begin, std::min(rows.there.end, heights[i]));
  }
}

}  // namespace

std::vector<Chain> PlanChains(const Graph& graph, const std::vector<HcwLayout>& layouts, const Reaches& reaches,
                              int64_t l2_bytes) {
  return Planner(graph, layouts, reaches, l2_bytes).Plan();
}

std::vector<Band> PlanBands(const Graph& graph, const Chain& chain, const Reaches& reaches, Range rows) {
  std::vector<int> heights;
  for (size_t i = 0; i < chain.num_ops; ++i) {
    heights.push_back(graph.tensor(graph.ops[chain.first_op + i].output).shape.h);
  }
  std::vector<Band> bands;
  ForEachImage(rows, heights.back(), [&](int image, Range in_image) {
    Band before{image, std::vector<Band::OpRows>(chain.num_ops)};
    const int height = in_image.end - in_image.begin;
    const int count = (height + chain.band_rows - 1) / chain.band_rows;
    for (int i = 0; i < count; ++i) {
      Band band{image, std::vector<Band::OpRows>(chain.num_ops)};
      const Range part = EvenShare(height, i, count);
      band.ops.back().made = {in_image.begin + part.begin, in_image.begin + part.end};
      FillBand(&reaches[chain.first_op], heights, before, &band);
      before = band;
      bands.push_back(std::move(band));
    }
  });
  return bands;
}

}  // namespace mcpruner
