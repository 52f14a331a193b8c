#include "delegate/opencl/driver/disk_cache.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace mcpruner::opencl {
namespace {

const std::string kKey = "device|driver|-DPIXELS=4|source";
const std::vector<uint8_t> kValue{1, 2, 3, 0, 255, 7};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(DiskCacheTest, KeepsValuesByKey) {
  const DiskCache cache(::testing::TempDir());
  std::remove(cache.Path(kKey).c_str());
  EXPECT_TRUE(cache.Load(kKey).empty());
  cache.Store(kKey, kValue);
  EXPECT_EQ(cache.Load(kKey), kValue);
  EXPECT_TRUE(cache.Load(kKey + "s").empty());
}

TEST(DiskCacheTest, ADamagedFileIsAbsent) {
  const DiskCache cache(::testing::TempDir());
  cache.Store(kKey, kValue);
  const std::string whole = ReadAll(cache.Path(kKey));
  for (size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(i);
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    WriteAll(cache.Path(kKey), damaged);
    EXPECT_TRUE(cache.Load(kKey).empty());
    WriteAll(cache.Path(kKey), whole.substr(0, i));
    EXPECT_TRUE(cache.Load(kKey).empty());
  }
  WriteAll(cache.Path(kKey), whole + "x");
  EXPECT_TRUE(cache.Load(kKey).empty());
  cache.Store(kKey, kValue);  // replaces it
  EXPECT_EQ(cache.Load(kKey), kValue);
}

TEST(DiskCacheTest, AFileOfAnotherKeyWithTheSameNameIsAbsent) {
  const DiskCache cache(::testing::TempDir());
  cache.Store(kKey, kValue);
  const std::string other = "device|driver|-DPIXELS=8|source";
  WriteAll(cache.Path(other), ReadAll(cache.Path(kKey)));
  EXPECT_TRUE(cache.Load(other).empty());
}

TEST(DiskCacheTest, WithoutAFolderNothingIsKept) {
  const DiskCache off("");
  off.Store(kKey, kValue);
  EXPECT_TRUE(off.Load(kKey).empty());
}

TEST(DiskCacheTest, AFileThatCannotBeWrittenIsSaidByItsName) {
  std::vector<std::string> said;
  const DiskCache absent("/no/such/folder", [&](const std::string& line) { said.push_back(line); });
  absent.Store(kKey, kValue);
  EXPECT_TRUE(absent.Load(kKey).empty());
  EXPECT_EQ(said, std::vector<std::string>{"not kept for the next start: writing " + absent.Path(kKey) +
                                           " failed: No such file or directory"});
}

}  // namespace
}  // namespace mcpruner::opencl
