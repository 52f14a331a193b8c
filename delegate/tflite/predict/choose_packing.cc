#include "delegate/tflite/predict/choose_packing.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "delegate/base/limits.h"
#include "delegate/graph/weights/packed_counts.h"
#include "delegate/tflite/predict/phases.h"

namespace mcpruner {
namespace {

using cost::Counts;
using cost::Geometry;

#define MCPRUNER_COUNT(name, count) [[maybe_unused]] constexpr double k##name = count;
#include "format/costs.inc"

constexpr int kUsualGroupSize = 4;  // of all of the converter's targets

// A group size, and a speed-up that no grouping exceeds.
struct Bound {
  int group_size = 1;
  double speedup = 0.0;
};

cost::WeightShape ShapeOf(const NonzeroBits& bits) {
  const DenseShape& shape = bits.shape();
  return {static_cast<double>(shape.out_channels), static_cast<double>(shape.kernel_height),
          static_cast<double>(shape.kernel_width), static_cast<double>(shape.in_channels)};
}

double Speedup(const NonzeroBits& bits, const Counts& counts, int group_size, const Geometry& geometry,
               const cost::CostTable& table) {
  const cost::WeightShape shape = ShapeOf(bits);
  return table.Time(cost::TfliteAmounts(shape, geometry, *table.simd)) /
         table.Time(cost::PackedAmounts(counts, shape, group_size, geometry, *table.simd));
}

// Returns a bound for each group size, the largest first. No filter group reaches over two groups of a grouped
// convolution, nor over two phases of a transposed one.
std::vector<Bound> Bounds(const NonzeroBits& bits, double nonzeros, const Geometry& geometry,
                          const cost::CostTable& table) {
  const bool whole = geometry.groups == 1 && geometry.phases() == 1;
  const int share = bits.shape().out_channels / static_cast<int>(geometry.groups);
  std::vector<Bound> bounds;
  for (int size = 1; size <= kMaxGroupSize; size *= 2) {
    if (!whole && share % size != 0) continue;
    bounds.push_back({size, Speedup(bits, {nonzeros, 0}, size, geometry, table)});
  }
  std::stable_sort(bounds.begin(), bounds.end(), [](const Bound& a, const Bound& b) { return a.speedup > b.speedup; });
  return bounds;
}

}  // namespace

bool KeepsTooMuch(int64_t nonzeros, int64_t weights) {
  return static_cast<double>(nonzeros) > kMostDensity * static_cast<double>(weights);
}

double PackedSpeedup(const NonzeroBits& bits, const Grouping& grouping, const Geometry& geometry,
                     const cost::CostTable& table) {
  const PackedCounts packed = CountPacked(bits, grouping);
  if (packed.patterns.size() > size_t{kMaxPatterns}) return 0;
  const DenseShape& shape = bits.shape();
  const int phases = static_cast<int>(geometry.phases());
  Counts counts{static_cast<double>(packed.values), 0};
  for (const PatternTable::Pattern& pattern : packed.patterns) {
    counts.kernels +=
        static_cast<double>(pattern.count) * PhasesOf(pattern.bits, shape.kernel_height, shape.kernel_width, phases);
  }
  return Speedup(bits, counts, grouping.group_size, geometry, table);
}

Packing ChoosePacking(const NonzeroBits& bits, const Geometry& geometry, const cost::CostTable& table) {
  const int64_t nonzeros = bits.Count();
  const std::vector<Bound> bounds = Bounds(bits, static_cast<double>(nonzeros), geometry, table);
  Packing best{InOrder(bits, kUsualGroupSize), 0};
  if (KeepsTooMuch(nonzeros, static_cast<int64_t>(ShapeOf(bits).size())) || bounds[0].speedup <= 1) {
    best.speedup = std::min(1.0, bounds[0].speedup);
    return best;
  }
  for (const Bound& bound : bounds) {
    if (bound.speedup <= best.speedup) continue;
    Grouping grouping = GroupFilters(bits, bound.group_size, static_cast<int>(geometry.groups));
    const double speedup = PackedSpeedup(bits, grouping, geometry, table);
    if (speedup > best.speedup) best = {std::move(grouping), speedup};
  }
  return best;
}

}  // namespace mcpruner
