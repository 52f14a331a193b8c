#include "delegate/cpu/threads/share_claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mcpruner {
namespace {

constexpr int kFastTicks = 10;  // the time of a share on a fast core

struct Section {
  int ticks = 0;             // until the section's last share is done
  std::vector<int> by;       // which thread did each share
  std::vector<int> by_slow;  // the shares that slow threads did
};

// Runs a section in virtual time: whoever is free first claims first, and slow threads claim before fast ones that are
// free at the same time.
Section Simulate(int fast, int slow, int shares_per_thread, int slow_ticks) {
  const int threads = fast + slow, shares = threads * shares_per_thread;
  ShareClaims claims(shares, fast);
  claims.BeginSection();
  Section section;
  section.by.assign(static_cast<size_t>(shares), -1);
  std::vector<int> free_at(static_cast<size_t>(threads));
  std::vector<bool> idle(static_cast<size_t>(threads));
  while (std::find(idle.begin(), idle.end(), false) != idle.end()) {
    int next = -1;
    for (int t = threads - 1; t >= 0; --t) {
      const auto i = static_cast<size_t>(t);
      if (!idle[i] && (next < 0 || free_at[i] < free_at[static_cast<size_t>(next)])) next = t;
    }
    const auto thread = static_cast<size_t>(next);
    const bool is_slow = next >= fast;
    const int share = claims.Claim(1, next * shares_per_thread, is_slow);
    idle[thread] = share < 0;
    if (share < 0) continue;
    EXPECT_EQ(section.by[static_cast<size_t>(share)], -1);
    section.by[static_cast<size_t>(share)] = next;
    if (is_slow) section.by_slow.push_back(share);
    free_at[thread] += is_slow ? slow_ticks : kFastTicks;
    section.ticks = std::max(section.ticks, free_at[thread]);
  }
  EXPECT_EQ(std::count(section.by.begin(), section.by.end(), -1), 0);
  return section;
}

int TicksOfFastAlone(int fast, int shares) { return (shares + fast - 1) / fast * kFastTicks; }

TEST(ShareClaimsTest, SlowThreadsNeverDelayFastOnes) {
  for (int fast = 1; fast <= 6; ++fast) {
    for (int slow = 1; slow <= 6; ++slow) {
      for (int shares = 1; shares <= 8; ++shares) {
        for (int ticks = kFastTicks; ticks <= kMaxSlowdown * kFastTicks; ++ticks) {
          EXPECT_LE(Simulate(fast, slow, shares, ticks).ticks, TicksOfFastAlone(fast, (fast + slow) * shares))
              << fast << " fast, " << slow << " slow threads, " << shares << " shares each, " << ticks << " ticks";
        }
      }
    }
  }
}

// With four A73 and four A53, equal shares would end after 80, 120 or 160 ticks on cores 2, 3 or 4 times slower.
TEST(ShareClaimsTest, SlowThreadsHelp) {
  EXPECT_EQ(TicksOfFastAlone(4, 32), 80);
  EXPECT_EQ(Simulate(4, 4, 4, 10).ticks, 60);
  EXPECT_EQ(Simulate(4, 4, 4, 20).ticks, 60);
  EXPECT_EQ(Simulate(4, 4, 4, 30).ticks, 70);
  EXPECT_EQ(Simulate(4, 4, 4, 40).ticks, 70);
}

TEST(ShareClaimsTest, ASlowThreadClaimsWhileTheFastOnesAreBusyForAsLong) {
  constexpr int kFast = 2, kLeast = kMaxSlowdown * kFast;
  ShareClaims claims(kLeast + 2, kFast);
  claims.BeginSection();
  for (const int share : {0, 1, 2}) EXPECT_EQ(claims.Claim(1, 0, true), share);  // of kLeast + 2 - share
  EXPECT_EQ(claims.Claim(1, 0, true), -1);
  EXPECT_EQ(claims.Claim(1, 0, false), 3);
}

TEST(ShareClaimsTest, EveryThreadDoesItsOwnSharesWhereAllAreFast) {
  EXPECT_EQ(Simulate(3, 0, 2, 0).by, (std::vector<int>{0, 0, 1, 1, 2, 2}));
}

TEST(ShareClaimsTest, OneShareAThreadIsTooLittleForSlowOnes) { EXPECT_TRUE(Simulate(4, 4, 1, 20).by_slow.empty()); }

TEST(ShareClaimsTest, SectionsThatAreOverHaveNothingToClaim) {
  ShareClaims claims(2, 1);
  claims.BeginSection();
  EXPECT_EQ(claims.Claim(1, 1, false), 1);
  EXPECT_EQ(claims.Claim(1, 1, false), 0);
  EXPECT_EQ(claims.Claim(1, 1, false), -1);
  claims.BeginSection();
  EXPECT_EQ(claims.Claim(1, 0, false), -1);
  EXPECT_EQ(claims.Claim(2, 0, false), 0);
}

}  // namespace
}  // namespace mcpruner
