#include "delegate/graph/weights/grouping.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "delegate/graph/weights/packed_counts.h"
#include "gtest/gtest.h"

namespace mcpruner {
namespace {

using Filters = std::vector<uint16_t>;

Filters Ascending(size_t filters) {
  Filters order(filters);
  std::iota(order.begin(), order.end(), uint16_t{0});
  return order;
}

// Makes bits of 1x1 filters, each written as a text of 0 and 1.
NonzeroBits BitsOf(const std::vector<std::string>& filters) {
  std::vector<float> weights;
  for (const std::string& filter : filters) {
    for (const char bit : filter) weights.push_back(bit == '1' ? 1.0f : 0.0f);
  }
  const DenseShape shape{static_cast<int>(filters.size()), 1, 1, static_cast<int>(filters[0].size())};
  return *NonzeroBits::Of(shape, weights);
}

NonzeroBits RandomBits(std::mt19937& rng, const DenseShape& shape, unsigned percent, size_t equal_filters) {
  const auto size = static_cast<size_t>(shape.kernel_height * shape.kernel_width * shape.in_channels);
  std::vector<float> weights(static_cast<size_t>(shape.out_channels) * size);
  for (size_t i = 0; i < weights.size(); ++i) {
    const bool again = i / size % equal_filters != 0;
    weights[i] = again ? weights[i - size] : rng() % 100 < percent ? 1.0f : 0.0f;
  }
  return *NonzeroBits::Of(shape, weights);
}

TEST(GroupFilters, EqualFiltersShareAGroupWhereverTheyStand) {
  EXPECT_EQ(GroupFilters(BitsOf({"110", "001", "110", "001"}), 2, 1).permutation, (Filters{0, 2, 1, 3}));
  EXPECT_EQ(GroupFilters(BitsOf({"110", "110", "001", "110", "001"}), 2, 1).permutation, (Filters{0, 1, 2, 4, 3}));
}

TEST(GroupFilters, TheNearestFiltersShareAGroup) {
  const std::vector<std::string> filters{"11110000", "00001111", "11010000", "00001011"};
  EXPECT_EQ(GroupFilters(BitsOf(filters), 2, 1).permutation, (Filters{0, 2, 1, 3}));
  // Classes of two and three: none fits a place that remains, so one is split.
  EXPECT_EQ(GroupFilters(BitsOf({"110", "110", "110", "011", "011", "011"}), 4, 1).permutation,
            (Filters{0, 1, 2, 3, 4, 5}));
}

TEST(GroupFilters, FiltersOfAGroupedConvolutionStayWithTheirGroup) {
  const NonzeroBits bits = BitsOf({"10", "01", "10", "01", "01", "10", "10", "01"});
  EXPECT_EQ(GroupFilters(bits, 2, 1).permutation, (Filters{0, 2, 1, 3, 4, 7, 5, 6}));
  EXPECT_EQ(GroupFilters(bits, 2, 2).permutation, (Filters{0, 2, 1, 3, 4, 7, 5, 6}));
  EXPECT_EQ(GroupFilters(bits, 2, 4).permutation, Ascending(8));
  EXPECT_EQ(GroupFilters(bits, 1, 8).permutation, Ascending(8));
}

TEST(GroupFilters, EmptyDenseAndAlignedLayersKeepTheirOrder) {
  std::mt19937 rng(1);
  for (const int filters : {1, 2, 15, 64, 333}) {
    const DenseShape shape{filters, 3, 3, 5};
    for (const int group_size : {1, 2, 4, 8, 16}) {
      for (const unsigned percent : {0u, 20u, 100u}) {
        const NonzeroBits bits = RandomBits(rng, shape, percent, static_cast<size_t>(group_size));
        EXPECT_EQ(GroupFilters(bits, group_size, 1).permutation, Ascending(static_cast<size_t>(filters)));
      }
    }
  }
}

TEST(GroupFilters, EveryFilterIsThereOnceAndNoMoreIsStored) {
  std::mt19937 rng(2);
  for (const int filters : {1, 7, 31, 100, 1000}) {
    for (const size_t equal : {1, 3, 5}) {
      const NonzeroBits bits = RandomBits(rng, {filters, 1, 2, 67}, 15, equal);
      for (const int group_size : {1, 2, 4, 8, 16}) {
        const Grouping grouping = GroupFilters(bits, group_size, 1);
        EXPECT_EQ(grouping.group_size, group_size);
        Filters sorted = grouping.permutation;
        std::sort(sorted.begin(), sorted.end());
        EXPECT_EQ(sorted, Ascending(static_cast<size_t>(filters)));
        EXPECT_LE(CountPacked(bits, grouping).values, CountPacked(bits, InOrder(bits, group_size)).values);
      }
    }
  }
}

}  // namespace
}  // namespace mcpruner
