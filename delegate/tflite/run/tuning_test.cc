#include "delegate/tflite/run/tuning.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "delegate/opencl/driver/disk_cache.h"

namespace mcpruner {
namespace {

const PartitionKey kTaken = {1, 0x0807060504030201}, kLeft = {7, 8}, kAbsent = {1, 2};

void Add(uint64_t number, int bytes, std::vector<uint8_t>* to) {
  for (int i = 0; i < bytes; ++i) to->push_back(static_cast<uint8_t>(number >> (8 * i)));
}

std::vector<uint8_t> Record(const PartitionKey& key, uint64_t tflite_ns, uint64_t plugin_ns, uint32_t date,
                            uint32_t take) {
  std::vector<uint8_t> record;
  for (const uint64_t number : {key[0], key[1], tflite_ns, plugin_ns}) Add(number, 8, &record);
  Add(date, 4, &record);
  Add(take, 4, &record);
  return record;
}

std::vector<uint8_t> TwoRecords() {
  std::vector<uint8_t> value = Record(kTaken, 2000, 1000, 20261201, 1);
  const std::vector<uint8_t> left = Record(kLeft, 910, 1000, 20261130, 0);
  value.insert(value.end(), left.begin(), left.end());
  return value;
}

Options In(const std::string& folder, int num_threads = 1) {
  Options options;
  options.cache_dir = folder;
  options.num_threads = num_threads;
  return options;
}

void Store(const Tuning& tuning, const std::vector<uint8_t>& value) {
  opencl::DiskCache(::testing::TempDir()).Store(tuning.report().machine, value);
}

TEST(Tuning, FollowsWhatWasMeasured) {
  const Tuning empty(In(::testing::TempDir(), 3), 1);
  Store(empty, TwoRecords());
  const Tuning tuning(In(::testing::TempDir(), 3), 1);
  EXPECT_EQ(tuning.report().reason, "");
  ASSERT_NE(tuning.Find(kTaken), nullptr);
  ASSERT_NE(tuning.Find(kLeft), nullptr);
  EXPECT_EQ(tuning.Find(kAbsent), nullptr);
  const cost::Decision taken = FollowMeasured(*tuning.Find(kTaken)), left = FollowMeasured(*tuning.Find(kLeft));
  EXPECT_TRUE(taken.take);
  EXPECT_EQ(taken.reason, "mcpruner tune measured the model 2.00 times as fast with it, on 2026-12-01");
  EXPECT_FALSE(left.take);
  EXPECT_EQ(left.reason, "mcpruner tune measured the model 0.91 times as fast with it, on 2026-11-30");
}

TEST(Tuning, IsOfOneMachineAndOneNumberOfThreads) {
  const auto machine = [](const Options& options, int recommended) { return Tuning(options, recommended).report(); };
  const std::string folder = ::testing::TempDir();
  EXPECT_EQ(machine(In(folder, 0), 2).file, machine(In(folder, 2), 1).file);
  EXPECT_EQ(machine(In(folder, 0), -1).file, machine(In(folder, 1), 8).file);
  EXPECT_NE(machine(In(folder, 1), 1).file, machine(In(folder, 2), 1).file);
  Options scalar = In(folder);
  scalar.simd = "scalar";
  EXPECT_NE(machine(scalar, 1).machine, machine(In(folder), 1).machine);
  EXPECT_NE(machine(In(folder), 1).machine.find("\nmcpruner "), std::string::npos);
}

TEST(Tuning, IsOffUnlessAutoHasAFolder) {
  Options cpu = In(::testing::TempDir());
  cpu.backend = BackendChoice::kCpu;
  EXPECT_FALSE(Tuning(cpu, 1).enabled());
  EXPECT_FALSE(Tuning(In(""), 1).enabled());
  EXPECT_TRUE(Tuning(In(::testing::TempDir()), 1).enabled());
}

TEST(Tuning, IgnoresADamagedFileWithAReason) {
  const Options options = In(::testing::TempDir(), 5);
  const Tuning empty(options, 1);
  EXPECT_EQ(empty.report().reason, "");  // there is no file
  Store(empty, TwoRecords());
  const std::string path = empty.report().file;
  std::ifstream file(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto expect_ignored = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    const Tuning tuning(options, 1);
    EXPECT_EQ(tuning.Find(kTaken), nullptr);
    EXPECT_EQ(tuning.report().reason,
              "the measurements in " + path + " are ignored, since it is cut or damaged: run mcpruner tune again");
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(i);
    expect_ignored(whole.substr(0, i));
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    expect_ignored(damaged);
  }
  expect_ignored(whole + "x");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << whole;
  EXPECT_NE(Tuning(options, 1).Find(kTaken), nullptr);
}

TEST(Tuning, RefusesRecordsThatAreNone) {
  const auto error = [](const std::vector<uint8_t>& value) { return ParseMeasured(value).message(); };
  std::vector<uint8_t> cut = TwoRecords();
  cut.pop_back();
  EXPECT_EQ(error(cut), "it does not end with a whole record");
  EXPECT_EQ(error(Record(kTaken, 0, 1, 20261201, 1)), "it has a time of 0");
  EXPECT_EQ(error(Record(kTaken, 1, 0, 20261201, 1)), "it has a time of 0");
  EXPECT_EQ(error(Record(kTaken, 1, 1, 100000000, 1)), "it has a date that is none");
  EXPECT_EQ(error(Record(kTaken, 1, 1, 20261201, 2)), "it has a decision that is none");
  EXPECT_TRUE(ParseMeasured({}).ok());
}

TEST(ProcessorName, SaysWhatKindsOfCoresThereAre) {
  const auto name = [](const std::string& text) {
    std::istringstream stream(text);
    return ProcessorName(stream);
  };
  const std::string core = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel\t: 17\ncpu MHz\t: 2600.1\n\n";
  EXPECT_EQ(name(core), "model name: AMD EPYC, model: 17");
  EXPECT_EQ(name(core + core), name(core));
  const std::string big = "CPU implementer : 0x41\nCPU part : 0xd09\n",
                    little = "CPU implementer : 0x41\nCPU part: 0xd03";
  EXPECT_EQ(name(big + little), "CPU implementer: 0x41, CPU part: 0xd09, CPU part: 0xd03");
  EXPECT_EQ(name(":\n: x\nno colon\n"), "");
}

}  // namespace
}  // namespace mcpruner
