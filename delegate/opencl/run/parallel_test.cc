#include "delegate/opencl/run/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace mcpruner::opencl {
namespace {

TEST(ForEachTest, DoesEachPieceOnce) {
  for (const int threads : {1, 2, 8}) {
    std::vector<std::atomic<int>> done(100);
    ForEach(done.size(), threads, [&](size_t k) { ++done[k]; });
    for (const std::atomic<int>& count : done) EXPECT_EQ(count, 1);
  }
  ForEach(0, 4, [](size_t) { FAIL(); });
}

TEST(ForEachTest, ThrowsHereWhatAPieceThrowsOnAThread) {
  for (const int threads : {1, 4}) {
    std::atomic<int> begun{0};
    const auto work = [&](size_t k) {
      ++begun;
      if (k >= 3) throw std::runtime_error("piece " + std::to_string(k));
    };
    EXPECT_THROW(ForEach(1000, threads, work), std::runtime_error);
    EXPECT_GE(begun, 4);
    EXPECT_LE(begun, 3 + threads);
  }
}

}  // namespace
}  // namespace mcpruner::opencl
