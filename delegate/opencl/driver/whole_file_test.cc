#include "delegate/opencl/driver/whole_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

namespace mcpruner::opencl {
namespace {

constexpr int64_t kLimit = int64_t{1} << 24;
constexpr size_t kLarge = size_t{1} << 20;

using Bytes = std::vector<uint8_t>;

// Each test has a new, empty folder.
class WholeFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "whole_file" /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "out.bin";
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::filesystem::path folder_;
  std::string path_;
};

Status Write(const std::string& path, const Bytes& bytes) { return WriteWholeFile(path, {bytes}); }
Bytes Read(const std::string& path) { return ReadWholeFile(path, kLimit); }

TEST_F(WholeFileTest, HoldsThePiecesInTheirOrder) {
  const Bytes first{1, 2}, none, last(kLarge, 3);
  ASSERT_TRUE(WriteWholeFile(path_, {first, none, last}).ok());
  Bytes all(kLarge + 2, 3);
  all[0] = 1;
  all[1] = 2;
  EXPECT_EQ(Read(path_), all);
  ASSERT_TRUE(Write(path_, first).ok());
  EXPECT_EQ(Read(path_), first);
  EXPECT_EQ(Names(), std::vector<std::string>{"out.bin"});
}

TEST_F(WholeFileTest, HasThePermissionsOfTheUmask) {
  const mode_t old = umask(027);
  ASSERT_TRUE(Write(path_, {1}).ok());
  umask(old);
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, mode_t{0640});
}

TEST_F(WholeFileTest, AFullDiskSaysWhichFileAndLeavesTheOldOne) {
  ASSERT_TRUE(Write(path_, {1}).ok());
  struct rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const struct rlimit small{1 << 16, limit.rlim_max};
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = Write(path_, Bytes(kLarge));
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, old);
  EXPECT_EQ(status.message(), "writing " + path_ + " failed: File too large");
  EXPECT_EQ(Read(path_), Bytes{1});
  EXPECT_EQ(Names(), std::vector<std::string>{"out.bin"});
}

TEST_F(WholeFileTest, PlacesThatHoldNoFile) {
  EXPECT_EQ(Write(folder_ / "absent/x", {1}).message(),
            "writing " + (folder_ / "absent/x").string() + " failed: No such file or directory");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(Write(path_, {1}).message(), "writing " + path_ + " failed: Is a directory");
  EXPECT_EQ(Names(), std::vector<std::string>{"out.bin"});
}

TEST_F(WholeFileTest, LinksAreNotFollowed) {
  const std::string victim = folder_ / "victim";
  ASSERT_TRUE(Write(victim, {7}).ok());
  const size_t thread = std::hash<std::thread::id>()(std::this_thread::get_id());
  const std::string part = path_ + "." + std::to_string(getpid()) + "." + std::to_string(thread) + ".0.part";
  std::filesystem::create_symlink(victim, part);
  std::filesystem::create_symlink(victim, path_);
  EXPECT_TRUE(Read(path_).empty());
  ASSERT_TRUE(Write(path_, {1}).ok());
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
  EXPECT_EQ(Read(path_), Bytes{1});
  EXPECT_EQ(Read(victim), Bytes{7});
  EXPECT_EQ(Names().size(), 3u);  // the link under the part's name stays
}

TEST_F(WholeFileTest, ReadsOrdinaryFilesOnly) {
  EXPECT_TRUE(Read(path_).empty());
  EXPECT_TRUE(Read(folder_).empty());
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(Read(folder_ / "pipe").empty());  // nobody writes into it: it is not waited for
  ASSERT_TRUE(Write(path_, {1, 2, 3}).ok());
  EXPECT_TRUE(ReadWholeFile(path_, 2).empty());
  EXPECT_EQ(ReadWholeFile(path_, 3).size(), 3u);
}

TEST_F(WholeFileTest, ThreadsThatWriteOneFileLeaveOneOfTheirs) {
  std::vector<std::thread> threads;
  for (uint8_t i = 1; i <= 8; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(Write(path_, Bytes(kLarge, i)).ok());
        const Bytes found = Read(path_);
        ASSERT_EQ(found.size(), kLarge);
        EXPECT_EQ(found, Bytes(kLarge, found[0]));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Names(), std::vector<std::string>{"out.bin"});
}

TEST_F(WholeFileTest, AKillLeavesAWholeFile) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(Write(path_, {9}).ok());
    const pid_t child = fork();
    if (child == 0) {
      for (uint8_t i = 0;; ++i) (void)Write(path_, Bytes(kLarge, i));
    }
    while (Read(path_).size() == 1) usleep(1000 * (round + 1));  // until its first file; then wherever it is
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const Bytes found = Read(path_);
    ASSERT_EQ(found.size(), kLarge);
    EXPECT_EQ(found, Bytes(kLarge, found[0]));
  }
}

}  // namespace
}  // namespace mcpruner::opencl
