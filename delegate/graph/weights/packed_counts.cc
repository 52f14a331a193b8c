#include "delegate/graph/weights/packed_counts.h"

#include <algorithm>
#include <cstddef>

#include "delegate/graph/weights/count_bits.h"

namespace mcpruner {

PackedCounts CountPacked(const NonzeroBits& bits, const Grouping& grouping) {
  const size_t size = static_cast<size_t>(grouping.group_size);
  PatternTable table(bits.positions());
  std::vector<uint64_t> rows, patterns;
  for (size_t begin = 0; begin < grouping.permutation.size(); begin += size) {
    const size_t filters = std::min(size, grouping.permutation.size() - begin);
    UniteRows(bits, Span<const uint16_t>(grouping.permutation).subspan(begin, filters), &rows);
    if (bits.positions() == 1) {
      table.Add(1, CountBits(rows));
      continue;
    }
    PatternsOf(bits, rows, &patterns);
    for (const uint64_t pattern : patterns) {
      if (pattern != 0) table.Add(pattern);
    }
  }
  PackedCounts counts{0, table.Sort()};
  for (const PatternTable::Pattern& pattern : counts.patterns) {
    counts.values += grouping.group_size * __builtin_popcountll(pattern.bits) * pattern.count;
  }
  return counts;
}

}  // namespace mcpruner
