#include "delegate/base/large_vector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace mcpruner {
namespace {

constexpr size_t kHugePage = LargeAllocator<uint16_t>::kHugePage;

TEST(LargeVectorTest, KeepsItsElementsAsItGrowsBeyondAPage) {
  LargeVector<uint16_t> v;
  for (size_t i = 0; i < 2 * kHugePage; ++i) v.push_back(static_cast<uint16_t>(i * 7));
  const LargeVector<uint16_t> copy = v;
  for (size_t i = 0; i < copy.size(); ++i) ASSERT_EQ(copy[i], static_cast<uint16_t>(i * 7));
}

TEST(LargeVectorTest, LargeMemoryBeginsOnAHugePage) {
  const LargeVector<uint8_t> large(kHugePage);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % kHugePage, 0u);
}

TEST(LargeVectorTest, RefusesMoreThanThereCanBe) {
  EXPECT_THROW(LargeAllocator<uint64_t>().allocate(std::numeric_limits<size_t>::max() / 4), std::bad_alloc);
}

}  // namespace
}  // namespace mcpruner
