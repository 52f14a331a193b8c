#include "delegate/graph/passes/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace mcpruner {
namespace {

using Requests = std::vector<BufferRequest>;

TEST(PlanMemoryTest, AChainUsesTwoBuffersInTurn) {
  const MemoryPlan plan = PlanMemory(Requests{{640, 0, 1}, {640, 1, 2}, {640, 2, 3}, {640, 3, 4}});
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 640, 0, 640}));
  EXPECT_EQ(plan.bytes, 1280);
}

TEST(PlanMemoryTest, AResidualStaysAcrossTheChain) {
  const MemoryPlan plan = PlanMemory(Requests{{64, 0, 3}, {64, 1, 2}, {64, 2, 3}});
  EXPECT_EQ(plan.bytes, 192);
}

TEST(PlanMemoryTest, SmallBuffersFillGapsBelowLargeOnes) {
  // The last one meets only the second, which lies above the first.
  const MemoryPlan plan = PlanMemory(Requests{{640, 0, 1}, {320, 1, 2}, {64, 2, 2}});
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 640, 0}));
  EXPECT_EQ(plan.bytes, 960);
}

TEST(PlanMemoryTest, RoundsUpToCacheLines) {
  const MemoryPlan plan = PlanMemory(Requests{{65, 0, 0}, {1, 0, 0}});
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 128}));
  EXPECT_EQ(plan.bytes, 192);
}

TEST(PlanMemoryTest, WhatIsNeverNeededTakesNothing) {
  const MemoryPlan plan = PlanMemory(Requests{{0, 0, 9}, {640, 0, -1}, {64, 3, 3}});
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(plan.bytes, 64);
  EXPECT_EQ(PlanMemory(Requests{}).bytes, 0);
}

TEST(PlanMemoryTest, SizesBeyondFourGigabytes) {
  const int64_t large = int64_t{1} << 40;
  const MemoryPlan plan = PlanMemory(Requests{{large, 0, 0}, {large, 0, 0}, {large, 0, 0}});
  EXPECT_EQ(plan.bytes, 3 * large);
}

TEST(PlanMemoryTest, RandomPlansDoNotOverlap) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    Requests requests(1 + rng() % 60);
    for (BufferRequest& r : requests) {
      r.bytes = static_cast<int64_t>(rng() % 5 == 0 ? rng() % 100000 : rng() % 300);
      r.first_op = static_cast<int>(rng() % 40);
      r.last_op = r.first_op + static_cast<int>(rng() % 8) - 1;
    }
    const MemoryPlan plan = PlanMemory(requests);
    ASSERT_EQ(plan.bytes % kArenaAlignment, 0);
    std::vector<int64_t> live(50, 0);
    for (size_t a = 0; a < requests.size(); ++a) {
      const int64_t begin = plan.offsets[a], end = begin + requests[a].bytes;
      ASSERT_EQ(begin % kArenaAlignment, 0);
      ASSERT_GE(begin, 0);
      if (requests[a].last_op < requests[a].first_op) continue;
      ASSERT_LE(end, plan.bytes);
      for (int op = requests[a].first_op; op <= requests[a].last_op; ++op) {
        live[static_cast<size_t>(op)] += (requests[a].bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
      }
      for (size_t b = 0; b < a; ++b) {
        const bool meet = requests[b].first_op <= requests[b].last_op && requests[a].first_op <= requests[b].last_op &&
                          requests[b].first_op <= requests[a].last_op;
        const bool apart = end <= plan.offsets[b] || plan.offsets[b] + requests[b].bytes <= begin;
        ASSERT_TRUE(!meet || apart) << a << " and " << b;
      }
    }
    // The plan takes at least what one op needs, and greedy by size stays near it.
    const int64_t least = *std::max_element(live.begin(), live.end());
    ASSERT_GE(plan.bytes, least);
    ASSERT_LE(plan.bytes, 2 * least);
  }
}

}  // namespace
}  // namespace mcpruner
