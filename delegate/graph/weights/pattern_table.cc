#include "delegate/graph/weights/pattern_table.h"

#include <algorithm>

namespace mcpruner {
namespace {

constexpr size_t kFewPositions = 12;

}  // namespace

PatternTable::PatternTable(size_t positions) {
  if (positions <= kFewPositions) counts_.resize(size_t{1} << positions);
}

const std::vector<PatternTable::Pattern>& PatternTable::Sort() {
  for (size_t bits = 0; bits < counts_.size(); ++bits) {
    if (counts_[bits] == 0) continue;
    sorted_.push_back({bits, counts_[bits]});
    counts_[bits] = static_cast<int64_t>(sorted_.size() - 1);
  }
  std::sort(list_.begin(), list_.end());
  for (const uint64_t bits : list_) {
    if (sorted_.empty() || sorted_.back().bits != bits) sorted_.push_back({bits, 0});
    ++sorted_.back().count;
  }
  list_ = {};
  return sorted_;
}

size_t PatternTable::NumberOf(uint64_t pattern) const {
  if (!counts_.empty()) return static_cast<size_t>(counts_[pattern]);
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), pattern,
                                      [](const Pattern& a, uint64_t bits) { return a.bits < bits; });
  return static_cast<size_t>(found - sorted_.begin());
}

}  // namespace mcpruner
