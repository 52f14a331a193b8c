// These tests lower what reduces, moves, adds and removes axes, at every rank (lower_test.cc).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/lower/testing/run_node.h"

namespace mcpruner {
namespace {

TEST(Lower, SlicesOfAnyRankAreWholeBehindTheirLists) {
  NodePlan plan = Plan(OpType::kStridedSlice);
  plan.deferred = SliceBounds{{1, 0, -2}, {3, 99, 9}, {1, 2, 1}, 0, 0};
  for (const Dims& dims : {Dims{3, 4, 3}, Dims{3, 4, 3, 2}, Dims{3, 4, 3, 2, 2}, Dims{3, 4, 3, 1, 2, 2}}) {
    const Output output = RunNode(plan, {dims});
    Dims out = dims;
    out[0] = out[1] = out[2] = 2;
    EXPECT_EQ(output.dims, out);
    const std::vector<float> x = Iota(dims, 0);
    std::vector<float> want;
    ForEach(out, [&](Dims at) {
      at[0] += 1;
      at[1] *= 2;
      at[2] += 1;
      want.push_back(x[Offset(dims, at)]);
    });
    EXPECT_EQ(output.values, want);
  }
  EXPECT_EQ(RunNode(plan, {{3, 4}}).error, "StridedSlice 'y': its lists have 3 entries for 2 dimensions");
}

TEST(Lower, SlicesWithAnEllipsisNewAndRemovedAxesGoBackwardsToo) {
  NodePlan plan = Plan(OpType::kStridedSlice);
  // x[::-2, new, ..., 1]
  plan.deferred = SliceBounds{{0, 0, 0, 1}, {0, 0, 0, 0}, {-2, 1, 1, 1}, 1, 1, 4, 2, 8};
  for (const Dims& dims : {Dims{3, 4}, Dims{3, 5, 4}, Dims{3, 2, 2, 4}, Dims{3, 2, 2, 2, 4}}) {
    const Output output = RunNode(plan, {dims});
    Dims left = dims, out{2, 1};
    left.pop_back();
    out.insert(out.end(), left.begin() + 1, left.end());
    EXPECT_EQ(output.error, "");
    EXPECT_EQ(output.dims, out);
    const std::vector<float> x = Iota(dims, 0);
    left[0] = 2;
    std::vector<float> want;
    ForEach(left, [&](Dims at) {
      at[0] = 2 - 2 * at[0];
      at.push_back(1);
      want.push_back(x[Offset(dims, at)]);
    });
    EXPECT_EQ(output.values, want);
  }
  plan.deferred = SliceBounds{{5}, {6}, {1}, 0, 0, 0, 0, 1};
  EXPECT_EQ(RunNode(plan, {{3, 4}}).error, "StridedSlice 'y': the slice leaves its input [3, 1, 1, 4]");
}

TEST(Lower, PartsOfAnyAxis) {
  for (const Dims& dims : {Dims{6}, Dims{2, 6}, Dims{6, 1, 2}, Dims{2, 3, 6, 2}, Dims{2, 1, 6, 3, 2}}) {
    const size_t axis = static_cast<size_t>(std::find(dims.begin(), dims.end(), 6) - dims.begin());
    const int counted = static_cast<int>(axis) - static_cast<int>(dims.size());
    for (const AxisPart& part : {AxisPart{counted, 1, 3, {}, false}, AxisPart{counted, 1, 2, {-1, 2}, false},
                                 AxisPart{counted, 4, 6, {}, true}}) {
      NodePlan plan = Plan(OpType::kStridedSlice);
      plan.deferred = part;
      const Output output = RunNode(plan, {dims});
      const int begin = part.drops_axis ? 4 : part.sizes.empty() ? 2 : 4;
      Dims out = dims;
      out[axis] = part.drops_axis ? 1 : 2;
      const std::vector<float> x = Iota(dims, 0);
      std::vector<float> want;
      ForEach(out, [&](Dims at) {
        at[axis] += begin;
        want.push_back(x[Offset(dims, at)]);
      });
      if (part.drops_axis) out.erase(out.begin() + static_cast<ptrdiff_t>(axis));
      EXPECT_EQ(output.dims, out);
      EXPECT_EQ(output.values, want);
    }
  }
  NodePlan plan = Plan(OpType::kStridedSlice);
  plan.deferred = AxisPart{0, 0, 4, {}, false};
  EXPECT_EQ(RunNode(plan, {{6}}).error, "StridedSlice 'y': its axis of 6 elements is not 4 equal parts");
  plan.deferred = AxisPart{0, 0, 2, {3, 4}, false};
  EXPECT_EQ(RunNode(plan, {{6}}).error, "StridedSlice 'y': its parts [3, 4] do not make an axis of 6 elements");
}

// The axis is always that of 7 elements. Its indices go forwards, backwards, by steps and nowhere.
TEST(Lower, GathersFromAnyAxis) {
  for (const Dims& dims : {Dims{7}, Dims{2, 7}, Dims{7, 1, 2}, Dims{2, 3, 7, 2}, Dims{7, 3, 2, 2}, Dims{2, 1, 7, 3, 2},
                           Dims{2, 1, 2, 3, 7}}) {
    const size_t axis = static_cast<size_t>(std::find(dims.begin(), dims.end(), 7) - dims.begin());
    NodePlan plan = Plan(OpType::kStridedSlice);
    const auto gathered = [&](std::vector<GatheredAxis::Run> runs, const Dims& in_place) {
      plan.deferred = GatheredAxis{static_cast<int>(axis) - static_cast<int>(dims.size()), std::move(runs), in_place};
      return RunNode(plan, {dims});
    };
    const std::vector<float> x = Iota(dims, 0);
    const auto expected = [&](const std::vector<int>& indices) {
      Dims out = dims;
      out[axis] = static_cast<int>(indices.size());
      std::vector<float> want;
      ForEach(out, [&](Dims at) {
        at[axis] = indices[static_cast<size_t>(at[axis])];
        want.push_back(x[Offset(dims, at)]);
      });
      return want;
    };
    const auto dims_with = [&](const Dims& in_place) {
      Dims out = dims;
      out.insert(out.erase(out.begin() + static_cast<ptrdiff_t>(axis)), in_place.begin(), in_place.end());
      return out;
    };
    Output output = gathered({{4, 1, 1}}, {});
    EXPECT_EQ(output.values, expected({4}));
    EXPECT_EQ(output.dims, dims_with({}));
    output = gathered({{6, -3, 3}}, {3});
    EXPECT_EQ(output.values, expected({6, 3, 0}));
    EXPECT_EQ(output.dims, dims_with({3}));
    output = gathered({{5, -2, 2}, {0, 1, 7}, {2, 1, 1}, {1, 5, 2}}, {2, 1, 6});
    EXPECT_EQ(output.values, expected({5, 3, 0, 1, 2, 3, 4, 5, 6, 2, 1, 6}));
    EXPECT_EQ(output.dims, dims_with({2, 1, 6}));
    EXPECT_EQ(gathered({{0, 1, 1}, {1, 3, 3}}, {4}).error,
              "StridedSlice 'y': its index 7 is beyond its axis of 7 elements");
    EXPECT_EQ(gathered({{9, -9, 2}}, {2}).error, "StridedSlice 'y': its index 9 is beyond its axis of 7 elements");
  }
  NodePlan plan = Plan(OpType::kStridedSlice);
  plan.deferred = GatheredAxis{2, {{0, 1, 1}}, {}};
  EXPECT_EQ(RunNode(plan, {{3, 4}}).error, "StridedSlice 'y': its axis 2 is out of range for 2 dimensions");
}

TEST(Lower, L2NormalizationsOfAnyRank) {
  for (const Dims& dims : {Dims{5}, Dims{1}, Dims{2, 5}, Dims{3, 1, 5}, Dims{2, 3, 19, 5}, Dims{2, 1, 3, 2, 5}}) {
    const Output output = RunNode(Plan(OpType::kNormalize), {dims});
    EXPECT_EQ(output.error, "");
    EXPECT_EQ(output.dims, dims);
    const std::vector<float> x = Iota(dims, 0);
    const size_t channels = static_cast<size_t>(dims.back());
    for (size_t first = 0; first < x.size(); first += channels) {
      double squares = 0;
      for (size_t c = 0; c < channels; ++c) squares += double{x[first + c]} * x[first + c];
      const double norm = std::max(std::sqrt(squares), 1e-6);  // a vector of zeros stays one
      for (size_t c = 0; c < channels; ++c) EXPECT_NEAR(output.values[first + c], x[first + c] / norm, 1e-6);
    }
  }
}

TEST(Lower, TransposesOfAnyRank) {
  for (const Dims& dims : {Dims{3}, Dims{2, 3}, Dims{2, 3, 4}, Dims{2, 1, 3, 4}, Dims{2, 3, 1, 2, 4},
                           Dims{2, 3, 2, 3, 2}, Dims{1, 1, 1, 1, 1}, Dims{2, 0, 2, 3, 2}}) {
    Dims order(dims.size());
    std::iota(order.begin(), order.end(), 0);
    do {
      SCOPED_TRACE(DimsText(dims) + " in order " + DimsText(order));
      NodePlan plan = Plan(OpType::kTranspose);
      plan.deferred = AxisOrder{order};
      const Output output = RunNode(plan, {dims});
      Dims out;
      for (const int axis : order) out.push_back(dims[static_cast<size_t>(axis)]);
      EXPECT_EQ(output.error, "");
      EXPECT_EQ(output.dims, out);
      const std::vector<float> x = Iota(dims, 0);
      std::vector<float> want;
      ForEach(out, [&](const Dims& at) {
        Dims from(at.size());
        for (size_t i = 0; i < at.size(); ++i) from[static_cast<size_t>(order[i])] = at[i];
        size_t offset = 0;
        for (size_t i = 0; i < dims.size(); ++i) {
          offset = offset * static_cast<size_t>(dims[i]) + static_cast<size_t>(from[i]);
        }
        want.push_back(x[offset]);
      });
      EXPECT_EQ(output.values, want);
    } while (std::next_permutation(order.begin(), order.end()));
  }
  NodePlan plan = Plan(OpType::kTranspose);
  plan.deferred = AxisOrder{{0, 0}};
  EXPECT_EQ(RunNode(plan, {{2, 3}}).error, "Transpose 'y': its order [0, 0] is none of 2 dimensions");
}

TEST(Lower, AxesOfSizeOneComeAndGo) {
  NodePlan plan = Plan(OpType::kReshape);
  plan.deferred = SqueezedAxes{{-1, 1}};
  EXPECT_EQ(RunNode(plan, {{2, 1, 3, 1, 1}}).dims, (Dims{2, 3, 1}));
  EXPECT_EQ(RunNode(plan, {{2, 3}}).error, "Reshape 'y': its axis -1 of [2, 3] is not 1");
  plan.deferred = SqueezedAxes{};
  EXPECT_EQ(RunNode(plan, {{2, 1, 3, 1}}).dims, (Dims{2, 3}));
  EXPECT_EQ(RunNode(plan, {{1, 1}}).dims, Dims());
  plan.deferred = AddedAxis{-1};
  EXPECT_EQ(RunNode(plan, {{2, 3, 4, 5}}).dims, (Dims{2, 3, 4, 5, 1}));
  plan.deferred = AddedAxis{1};
  EXPECT_EQ(RunNode(plan, {{2, 3}}).dims, (Dims{2, 1, 3}));
  plan = Plan(OpType::kConcat);
  plan.deferred = AddedAxis{-1};
  const Output packed = RunNode(plan, {{2, 2}, {2, 2}});
  EXPECT_EQ(packed.dims, (Dims{2, 2, 2}));
  EXPECT_EQ(packed.values, (std::vector<float>{0, 100, 1, 101, 2, 102, 3, 103}));
}

TEST(Lower, ConcatenationsOfAnyRank) {
  for (const Dims& dims : {Dims{2}, Dims{2, 3, 2}, Dims{2, 1, 2, 3, 2}}) {
    for (int axis = -static_cast<int>(dims.size()); axis < static_cast<int>(dims.size()); ++axis) {
      NodePlan plan = Plan(OpType::kConcat);
      plan.deferred = ConcatAxis{axis};
      const size_t k = static_cast<size_t>(axis < 0 ? axis + static_cast<int>(dims.size()) : axis);
      Dims out = dims;
      out[k] *= 2;
      const Output output = RunNode(plan, {dims, dims});
      EXPECT_EQ(output.dims, out);
      const std::vector<float> a = Iota(dims, 0), b = Iota(dims, 100);
      std::vector<float> want;
      ForEach(out, [&](Dims at) {
        const bool second = at[k] >= dims[k];
        at[k] %= dims[k];
        want.push_back((second ? b : a)[Offset(dims, at)]);
      });
      EXPECT_EQ(output.values, want);
    }
  }
  NodePlan plan = Plan(OpType::kConcat);
  plan.deferred = ConcatAxis{4};
  EXPECT_EQ(RunNode(plan, {{1, 2}, {1, 2}}).error, "Concat 'y': its axis 4 is out of range for 2 dimensions");
  plan.deferred = ConcatAxis{0};
  EXPECT_EQ(RunNode(plan, {{1, 2}, {1}}).error, "Concat 'y': its inputs differ in rank");
  EXPECT_EQ(RunNode(plan, {{1, 2}, {1, 3}}).error, "Concat 'y': its inputs [1, 2] and [1, 3] differ outside of axis 0");
}

TEST(Lower, MeansOverAxesThatAreNoNeighbours) {
  NodePlan plan = Plan(OpType::kMean);
  plan.deferred = ReduceAxes{{1, -2}, false};
  const Output output = RunNode(plan, {{2, 2, 1, 2, 3}});
  EXPECT_EQ(output.dims, (Dims{2, 1, 3}));
  EXPECT_EQ(output.values, (std::vector<float>{4.5f, 5.5f, 6.5f, 16.5f, 17.5f, 18.5f}));
  plan.deferred = ReduceAxes{{1, -2}, true};
  EXPECT_EQ(RunNode(plan, {{2, 2, 1, 2, 3}}).dims, (Dims{2, 1, 1, 1, 3}));
}

TEST(Lower, ReducesAnyAxesOfAnyRank) {
  for (const Dims& dims : {Dims{4}, Dims{3, 4}, Dims{2, 3, 4}, Dims{2, 3, 2, 4}, Dims{2, 3, 2, 1, 4}}) {
    for (int mask = 0; mask < 1 << dims.size(); ++mask) {
      NodePlan plan = Plan(OpType::kSum);
      Dims axes, kept = dims, left;
      for (size_t i = 0; i < dims.size(); ++i) {
        if ((mask >> i & 1) != 0) {
          axes.push_back(static_cast<int>(i));
          kept[i] = 1;
        } else {
          left.push_back(dims[i]);
        }
      }
      SCOPED_TRACE(DimsText(dims) + " over " + DimsText(axes));
      plan.deferred = ReduceAxes{axes, false};
      const Output output = RunNode(plan, {dims});
      EXPECT_EQ(output.error, "");
      EXPECT_EQ(output.dims, left);
      const std::vector<float> x = Iota(dims, 0);
      std::vector<float> want(static_cast<size_t>(Count(kept)));
      ForEach(dims, [&](const Dims& at) { want[Offset(kept, at)] += x[Offset(dims, at)]; });
      EXPECT_EQ(output.values, want);
      plan.deferred = ReduceAxes{axes, true};
      EXPECT_EQ(RunNode(plan, {dims}).dims, kept);
    }
  }
}

TEST(Lower, PadsOfAnyRank) {
  for (const Dims& dims : {Dims{3}, Dims{2, 3, 2}, Dims{2, 1, 2, 3, 2}}) {
    NodePlan plan = Plan(OpType::kPad);
    Paddings pads;
    pads.value = -1;
    Dims out = dims;
    for (size_t i = 0; i < dims.size(); ++i) {
      pads.before.push_back(static_cast<int>(i % 2));
      pads.after.push_back(static_cast<int>(i % 3));
      out[i] += pads.before[i] + pads.after[i];
    }
    plan.deferred = pads;
    const Output output = RunNode(plan, {dims});
    EXPECT_EQ(output.dims, out);
    const std::vector<float> x = Iota(dims, 0);
    std::vector<float> want;
    ForEach(out, [&](Dims at) {
      bool inside = true;
      for (size_t i = 0; i < at.size(); ++i) {
        at[i] -= pads.before[i];
        inside = inside && at[i] >= 0 && at[i] < dims[i];
      }
      want.push_back(inside ? x[Offset(dims, at)] : -1);
    });
    EXPECT_EQ(output.values, want);
  }
  NodePlan plan = Plan(OpType::kPad);
  plan.deferred = Paddings{{0, 0}, {1, 1}, 0};
  EXPECT_EQ(RunNode(plan, {{2, 2, 2}}).error, "Pad 'y': expected 2 paddings for each of 3 dimensions, got 4");
}

// The middle axis of five goes on as its mirror image, with the edge.
TEST(Lower, MirrorPadsOfAnyRank) {
  const Dims dims{2, 1, 3, 2, 2};
  NodePlan plan = Plan(OpType::kMirrorPad);
  plan.deferred = Paddings{{0, 0, 2, 0, 0}, {0, 0, 3, 0, 0}, 0.0f, true};
  const Output output = RunNode(plan, {dims});
  const Dims out{2, 1, 8, 2, 2};
  EXPECT_EQ(output.dims, out);
  const std::vector<float> x = Iota(dims, 0);
  const std::vector<int> source{1, 0, 0, 1, 2, 2, 1, 0};
  std::vector<float> want;
  ForEach(out, [&](Dims at) {
    at[2] = source[static_cast<size_t>(at[2])];
    want.push_back(x[Offset(dims, at)]);
  });
  EXPECT_EQ(output.values, want);
  plan.deferred = Paddings{{0, 1}, {0, 1}, 0.0f, false};
  EXPECT_EQ(RunNode(plan, {{2, 1}}).error,
            "MirrorPad 'y': expected mirror padding of 0 to 0 for a size of 1, got 1 and 1");
}

}  // namespace
}  // namespace mcpruner
