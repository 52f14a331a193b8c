// A PatternTable counts kernels by their patterns, and numbers the patterns in the order of their bits.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PATTERN_TABLE_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PATTERN_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcpruner {

class PatternTable {
 public:
  struct Pattern {
    uint64_t bits = 0;
    int64_t count = 0;
  };

  // `positions` are those of a kernel.
  explicit PatternTable(size_t positions);

  void Add(uint64_t pattern, size_t kernels = 1) {
    if (counts_.empty()) {
      list_.insert(list_.end(), kernels, pattern);
    } else {
      counts_[pattern] += static_cast<int64_t>(kernels);
    }
  }
  // Returns all patterns that were added, in the order of their bits. None may be added later.
  const std::vector<Pattern>& Sort();
  // Returns the place of one of them in that order.
  size_t NumberOf(uint64_t pattern) const;

 private:
  // Small kernels have few patterns: there is a count for each, which becomes its number. The patterns of others, of
  // more than 12 positions, are listed and sorted, which takes 8 bytes for each kernel.
  std::vector<int64_t> counts_;
  std::vector<uint64_t> list_;
  std::vector<Pattern> sorted_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PATTERN_TABLE_H_
