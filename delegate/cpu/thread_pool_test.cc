#include "delegate/cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

namespace mcpruner {
namespace {

struct Counts {
  std::vector<int> of_share;
  explicit Counts(int shares) : of_share(static_cast<size_t>(shares)) {}
  static void Add(void* context, int share) { ++static_cast<Counts*>(context)->of_share[static_cast<size_t>(share)]; }
};

TEST(ThreadPoolTest, DoesEachShareOnceInEachSection) {
  for (const int num_threads : {1, 2, 3, 7}) {
    ThreadPool pool(num_threads);
    EXPECT_EQ(pool.num_shares(), num_threads);
    Counts counts(num_threads);
    for (int i = 0; i < 500; ++i) pool.Run(&Counts::Add, &counts);
    EXPECT_EQ(counts.of_share, std::vector<int>(static_cast<size_t>(num_threads), 500));
  }
}

// This machine's cores stand for both kinds.
TEST(ThreadPoolTest, DoesEachShareOnceOnCoresOfTwoKinds) {
  const CoreSets here = CoresOfThisThread();
  std::vector<int> all = here.fast;
  all.insert(all.end(), here.slow.begin(), here.slow.end());
  ASSERT_FALSE(all.empty());
  for (const int num_threads : {1, 2, 3, 7}) {
    ThreadPool pool(num_threads, {{all.front(), all.back()}, all});
    EXPECT_EQ(pool.num_shares(), num_threads <= 2 ? num_threads : 4 * num_threads);
    Counts counts(pool.num_shares());
    for (int i = 0; i < 200; ++i) pool.Run(&Counts::Add, &counts);
    EXPECT_EQ(counts.of_share, std::vector<int>(static_cast<size_t>(pool.num_shares()), 200));
  }
}

TEST(ThreadPoolTest, EndsWithoutASection) {
  for (int i = 0; i < 20; ++i) ThreadPool pool(4);
}

TEST(ThreadPoolTest, WakesWorkersThatSleep) {
  ThreadPool pool(3);
  Counts counts(3);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool.Run(&Counts::Add, &counts);
  }
  EXPECT_EQ(counts.of_share, std::vector<int>(3, 3));
}

TEST(ThreadPoolTest, WritesOfASectionAreSeenAfterIt) {
  ThreadPool pool(4);
  std::vector<int> values(4000);
  for (int round = 1; round <= 50; ++round) {
    pool.Run(
        [](void* context, int share) {
          auto& v = *static_cast<std::vector<int>*>(context);
          for (size_t i = 0; i < 1000; ++i) ++v[static_cast<size_t>(share) * 1000 + i];
        },
        &values);
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), 0), round * 4000);
  }
}

TEST(ThreadPoolTest, CallersAtOnceDoNotMix) {
  ThreadPool pool(2);
  std::vector<Counts> counts(3, Counts(2));
  std::vector<std::thread> callers;
  for (Counts& own : counts) {
    callers.emplace_back([&pool, &own] {
      for (int i = 0; i < 300; ++i) pool.Run(&Counts::Add, &own);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const Counts& own : counts) EXPECT_EQ(own.of_share, (std::vector<int>{300, 300}));
}

}  // namespace
}  // namespace mcpruner
