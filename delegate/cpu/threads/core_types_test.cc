#include "delegate/cpu/threads/core_types.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <sstream>
#include <string>
#include <thread>

namespace mcpruner {
namespace {

using Cores = std::vector<int>;

CoreSets Parse(const std::string& text) {
  std::istringstream stream(text);
  return ParseCpuInfo(stream);
}

std::string Core(int number, const std::string& implementer, const std::string& part) {
  return "processor\t: " + std::to_string(number) + "\nBogoMIPS\t: 3.84\nCPU implementer\t: " + implementer +
         "\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: " + part + "\nCPU revision\t: 4\n\n";
}

TEST(CoreTypesTest, TellsA53FromA73) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += Core(i, "0x41", "0xd03");
  for (int i = 4; i < 8; ++i) text += Core(i, "0x41", "0xd09");
  const CoreSets cores = Parse(text + "Hardware\t: Kirin970\n");
  EXPECT_EQ(cores.slow, (Cores{0, 1, 2, 3}));
  EXPECT_EQ(cores.fast, (Cores{4, 5, 6, 7}));
  EXPECT_TRUE(cores.mixed());
}

TEST(CoreTypesTest, ImplementersNumberTheirPartsAlone) {
  const CoreSets cores =
      Parse(Core(0, "0x51", "0x803") + Core(1, "0x51", "0xd03") + Core(2, "0x41", "0x803") + Core(3, "0x41", "0xd05"));
  EXPECT_EQ(cores.slow, (Cores{0, 3}));
  EXPECT_EQ(cores.fast, (Cores{1, 2}));
}

TEST(CoreTypesTest, CoresWithoutAPartAreFast) {
  const CoreSets cores = Parse("processor\t: 0\nvendor_id\t: AuthenticAMD\n\nprocessor\t: 1\n");
  EXPECT_EQ(cores.fast, (Cores{0, 1}));
  EXPECT_FALSE(cores.mixed());
}

TEST(CoreTypesTest, OtherTextSaysNothing) {
  for (const char* text : {"", ":\n::\n", "CPU part : 0xd03\n", "processor 0\nCPU implementer 0x41\n"}) {
    const CoreSets cores = Parse(text);
    EXPECT_TRUE(cores.fast.empty() && cores.slow.empty()) << text;
  }
}

TEST(CoreTypesTest, ThreadStaysWhereItIsKept) {
  std::thread([] {
    const int here = sched_getcpu();
    ASSERT_GE(here, 0);
    KeepThisThreadOn({here});
    const CoreSets cores = CoresOfThisThread();
    EXPECT_EQ(cores.fast.size() + cores.slow.size(), 1u);
    EXPECT_TRUE(IsOnSlowCore({{}, {here}}));
    EXPECT_FALSE(IsOnSlowCore({{here}, {here + 1}}));
    KeepThisThreadOn({});  // there is no such place: nothing changes
    EXPECT_TRUE(IsOnSlowCore({{}, {here}}));
  }).join();
}

}  // namespace
}  // namespace mcpruner
