#include "delegate/graph/weights/grouping.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>

#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/join_classes.h"

namespace mcpruner {
namespace {

using Filters = std::vector<uint16_t>;

// Filters with equal hashes count as equal. Should two others ever have the same one, they share a group that stores
// more than it need; packing is right whatever the grouping is.
uint64_t HashOf(Span<const uint64_t> rows) {
  uint64_t hash = 0;
  for (const uint64_t word : rows) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

// Returns the filters begin .. end - 1 in classes of equal bits, which are in the order of their first filters.
std::vector<Filters> EqualFilters(const NonzeroBits& bits, size_t begin, size_t end) {
  std::vector<std::pair<uint64_t, uint16_t>> hashed;
  for (size_t filter = begin; filter < end; ++filter) {
    hashed.emplace_back(HashOf(bits.Rows(filter)), static_cast<uint16_t>(filter));
  }
  std::sort(hashed.begin(), hashed.end());
  std::vector<Filters> classes;
  for (size_t i = 0; i < hashed.size(); ++i) {
    if (i == 0 || hashed[i].first != hashed[i - 1].first) classes.emplace_back();
    classes.back().push_back(hashed[i].second);
  }
  std::sort(classes.begin(), classes.end(), [](const Filters& a, const Filters& b) { return a[0] < b[0]; });
  return classes;
}

// Moves whole groups out of the classes; what remains of them is shorter than a group, and none is empty.
std::vector<Filters> TakeFullGroups(size_t group_size, std::vector<Filters>* classes) {
  std::vector<Filters> groups, rest;
  for (const Filters& filters : *classes) {
    auto at = filters.begin();
    for (; filters.end() - at >= static_cast<ptrdiff_t>(group_size); at += static_cast<ptrdiff_t>(group_size)) {
      groups.emplace_back(at, at + static_cast<ptrdiff_t>(group_size));
    }
    if (at != filters.end()) rest.emplace_back(at, filters.end());
  }
  *classes = std::move(rest);
  return groups;
}

// Appends the filters begin .. end - 1, those of each group in their own order, and groups by their first filters.
void AppendGroups(const NonzeroBits& bits, size_t begin, size_t end, size_t group_size, Filters* permutation) {
  std::vector<Filters> classes = EqualFilters(bits, begin, end);
  std::vector<Filters> groups = TakeFullGroups(group_size, &classes);
  for (Filters& group : JoinClasses(bits, std::move(classes), group_size)) groups.push_back(std::move(group));
  for (Filters& group : groups) std::sort(group.begin(), group.end());
  std::sort(groups.begin(), groups.end(), [&](const Filters& a, const Filters& b) {
    const bool a_full = a.size() == group_size, b_full = b.size() == group_size;
    return a_full != b_full ? a_full : a[0] < b[0];
  });
  for (const Filters& group : groups) permutation->insert(permutation->end(), group.begin(), group.end());
}

}  // namespace

Status CheckGrouping(const Grouping& grouping, int filters) {
  MCPRUNER_RETURN_IF_ERROR(CheckGroupSize(grouping.group_size));
  std::vector<bool> found(static_cast<size_t>(filters));
  size_t different = 0;
  for (const uint16_t filter : grouping.permutation) {
    if (filter >= filters || found[filter]) break;
    found[filter] = true;
    ++different;
  }
  if (different == found.size() && different == grouping.permutation.size()) return Status::Ok();
  return Status::Error("expected a permutation that has each of " + std::to_string(filters) +
                       " filters once, got something else");
}

Grouping InOrder(const NonzeroBits& bits, int group_size) {
  Grouping grouping{group_size, Filters(static_cast<size_t>(bits.shape().out_channels))};
  std::iota(grouping.permutation.begin(), grouping.permutation.end(), uint16_t{0});
  return grouping;
}

Grouping GroupFilters(const NonzeroBits& bits, int group_size, int conv_groups) {
  if (group_size == 1) return InOrder(bits, group_size);
  const size_t share = static_cast<size_t>(bits.shape().out_channels / conv_groups);
  assert(conv_groups == 1 || share % static_cast<size_t>(group_size) == 0);
  Grouping grouping{group_size, {}};
  for (size_t i = 0; i < static_cast<size_t>(conv_groups); ++i) {
    AppendGroups(bits, i * share, (i + 1) * share, static_cast<size_t>(group_size), &grouping.permutation);
  }
  return grouping;
}

}  // namespace mcpruner
