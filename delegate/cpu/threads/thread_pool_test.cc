#include "delegate/cpu/threads/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
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

// The address space has no room for a stack of this size, so the system starts no thread.
TEST(ThreadPoolTest, DoesWithoutThreadsThatCannotBeStarted) {
  pthread_attr_t usual, huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  ThreadPool pool(3);
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  Counts counts(3);
  for (int i = 0; i < 5; ++i) pool.Run(&Counts::Add, &counts);
  EXPECT_EQ(counts.of_share, std::vector<int>(3, 5));
}

// Runs sections on the pool in a forked child and destroys it there; returns whether all that went well.
bool WorksInChild(std::unique_ptr<ThreadPool>* pool) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);  // a child that waits for threads that are not there would wait for ever
    Counts counts((*pool)->num_shares());
    for (int i = 0; i < 100; ++i) (*pool)->Run(&Counts::Add, &counts);
    pool->reset();
    _exit(counts.of_share == std::vector<int>(counts.of_share.size(), 100) ? 0 : 1);
  }
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

// Workers that have just finished spin, and sleep after `pause`.
void CheckFork(int num_threads, const CoreSets& cores, std::chrono::milliseconds pause) {
  auto pool = std::make_unique<ThreadPool>(num_threads, cores);
  Counts counts(pool->num_shares());
  pool->Run(&Counts::Add, &counts);
  std::this_thread::sleep_for(pause);
  EXPECT_TRUE(WorksInChild(&pool));
  pool->Run(&Counts::Add, &counts);
  EXPECT_EQ(counts.of_share, std::vector<int>(counts.of_share.size(), 2));
}

TEST(ThreadPoolTest, AForkedChildDoesEverythingItself) {
  for (const int milliseconds : {0, 0, 0, 20}) {
    CheckFork(1, {}, std::chrono::milliseconds(milliseconds));
    CheckFork(4, {}, std::chrono::milliseconds(milliseconds));
  }
}

// All cores stand for slow ones too: a caller leaves its shares to the fast threads, of which the child has none.
TEST(ThreadPoolTest, AForkedChildOnASlowCoreDoesEverythingItself) {
  const std::vector<int> all = CoresOfThisThread().fast;
  ASSERT_FALSE(all.empty());
  for (const int milliseconds : {0, 0, 20}) {
    CheckFork(3, {{all.front(), all.back()}, all}, std::chrono::milliseconds(milliseconds));
  }
}

}  // namespace
}  // namespace mcpruner
