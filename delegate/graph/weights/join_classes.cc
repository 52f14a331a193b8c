#include "delegate/graph/weights/join_classes.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "delegate/graph/weights/count_bits.h"

namespace mcpruner {
namespace {

using Filters = std::vector<uint16_t>;

// So many classes are compared with a group at most: the next ones in the order of size and density, and those that
// stand beside the group's first filter in the file, on each side.
constexpr size_t kCandidates = 32;
constexpr size_t kNeighbours = 4;
// Bits are compared in so many words at most, which are spread evenly over those of a filter.
constexpr size_t kMaxWords = 32;

// A list of numbers 0 .. n - 1 in an order, from which numbers are taken. end() follows the last one and precedes the
// first one.
class Chain {
 public:
  explicit Chain(const std::vector<uint32_t>& order) : next_(order.size() + 1), previous_(order.size() + 1) {
    uint32_t last = end();
    for (const uint32_t number : order) {
      next_[last] = number;
      previous_[number] = last;
      last = number;
    }
    next_[last] = end();
    previous_[end()] = last;
  }
  uint32_t end() const { return static_cast<uint32_t>(next_.size() - 1); }
  uint32_t First() const { return next_[end()]; }
  uint32_t Next(uint32_t number) const { return next_[number]; }
  uint32_t Previous(uint32_t number) const { return previous_[number]; }
  void Take(uint32_t number) {
    next_[previous_[number]] = next_[number];
    previous_[next_[number]] = previous_[number];
  }

 private:
  std::vector<uint32_t> next_, previous_;
};

class Joiner {
 public:
  Joiner(const NonzeroBits& bits, std::vector<Filters> classes, size_t group_size)
      : group_size_(group_size),
        words_(std::min(kMaxWords, bits.positions() * bits.words())),
        classes_(std::move(classes)),
        in_file_(InFile(classes_.size())),
        by_density_(ByDensity(bits, classes_)) {
    for (const Filters& filters : classes_) Sample(bits.Rows(filters[0]));
    // The order begins with the largest classes, so all from a size's first one on fit.
    first_that_fits_.fill(by_density_.end());
    for (uint32_t i = by_density_.First(); i != by_density_.end(); i = by_density_.Next(i)) {
      for (size_t free = classes_[i].size(); free < first_that_fits_.size(); ++free) {
        if (first_that_fits_[free] == by_density_.end()) first_that_fits_[free] = i;
      }
    }
  }

  std::vector<Filters> Join() {
    std::vector<Filters> groups;
    while (by_density_.First() != by_density_.end()) groups.push_back(NextGroup());
    return groups;
  }

 private:
  static std::vector<uint32_t> InFile(size_t count) {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    return order;
  }
  static std::vector<uint32_t> ByDensity(const NonzeroBits& bits, const std::vector<Filters>& classes) {
    std::vector<std::pair<size_t, uint64_t>> keys;
    for (const Filters& filters : classes) keys.emplace_back(filters.size(), CountBits(bits.Rows(filters[0])));
    std::vector<uint32_t> order = InFile(classes.size());
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return keys[a] > keys[b]; });
    return order;
  }
  // Appends what a class is compared by.
  void Sample(Span<const uint64_t> rows) {
    for (size_t i = 0; i < words_; ++i)
      samples_.push_back(rows[words_ == 1 ? 0 : i * (rows.size() - 1) / (words_ - 1)]);
    counts_.push_back(CountBits(SampleOf(counts_.size())));
  }
  Span<const uint64_t> SampleOf(size_t number) const {
    return Span<const uint64_t>(samples_).subspan(number * words_, words_);
  }

  Filters NextGroup() {
    Filters group;
    union_.assign(words_, 0);
    const uint32_t first = by_density_.First();
    Move(first, &group);
    while (group.size() < group_size_ && by_density_.First() != by_density_.end()) {
      union_count_ = CountBits(union_);
      Move(Nearest(first, group_size_ - group.size()), &group);
    }
    // Until now they were the marks by which neighbours are found.
    for (const uint32_t number : taken_) in_file_.Take(number);
    taken_.clear();
    return group;
  }

  // Moves as many filters of a class to a group as fit.
  void Move(uint32_t number, Filters* group) {
    Filters& filters = classes_[number];
    const auto end = filters.begin() + static_cast<ptrdiff_t>(std::min(filters.size(), group_size_ - group->size()));
    group->insert(group->end(), filters.begin(), end);
    filters.erase(filters.begin(), end);
    const Span<const uint64_t> sample = SampleOf(number);
    for (size_t i = 0; i < words_; ++i) union_[i] |= sample[i];
    if (!filters.empty()) return;
    for (uint32_t& first : first_that_fits_) {
      if (first == number) first = by_density_.Next(number);
    }
    by_density_.Take(number);
    taken_.push_back(number);
  }

  // Returns the class that agrees best with the group, of those that fit into its free places if there are any.
  uint32_t Nearest(uint32_t first, size_t free) const {
    const bool fits = first_that_fits_[free] != by_density_.end();
    uint32_t nearest = by_density_.end();
    double best = -1.0;
    size_t seen = 0;
    const auto consider = [&](uint32_t number) {
      if (classes_[number].empty()) return;
      ++seen;
      if (fits && classes_[number].size() > free) return;
      const double similarity = Similarity(number);
      if (similarity <= best) return;
      best = similarity;
      nearest = number;
    };
    uint32_t i = fits ? first_that_fits_[free] : by_density_.First();
    for (; i != by_density_.end() && seen < kCandidates; i = by_density_.Next(i)) consider(i);
    seen = 0;
    for (i = in_file_.Next(first); i != in_file_.end() && seen < kNeighbours; i = in_file_.Next(i)) consider(i);
    seen = 0;
    for (i = in_file_.Previous(first); i != in_file_.end() && seen < kNeighbours; i = in_file_.Previous(i)) consider(i);
    return nearest;
  }

  // Returns what a class and the group share over what one of them has, 0..1.
  double Similarity(uint32_t number) const {
    const Span<const uint64_t> sample = SampleOf(number);
    const uint64_t shared = CountSharedBits(sample, union_), total = counts_[number] + union_count_ - shared;
    return total == 0 ? 1.0 : static_cast<double>(shared) / static_cast<double>(total);
  }

  const size_t group_size_, words_;
  std::vector<Filters> classes_;  // each without the filters that have a group
  std::vector<uint64_t> samples_;
  std::vector<uint64_t> counts_;                         // of a sample's bits
  Chain in_file_, by_density_;                           // of the classes that have filters left
  std::array<uint32_t, kMaxGroupSize> first_that_fits_;  // by the number of free places
  // Those of the group that is made.
  std::vector<uint64_t> union_;
  uint64_t union_count_ = 0;
  std::vector<uint32_t> taken_;
};

}  // namespace

std::vector<Filters> JoinClasses(const NonzeroBits& bits, std::vector<Filters> classes, size_t group_size) {
  return Joiner(bits, std::move(classes), group_size).Join();
}

}  // namespace mcpruner
