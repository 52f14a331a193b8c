#include "delegate/cost/read_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

#include "delegate/cost/amounts.h"
#include "delegate/cost/flat_json.h"

namespace mcpruner::cost {
namespace {

std::string ShippedText(const std::string& name) {
  for (const ShippedTable* table = kShippedTables; table->name != nullptr; ++table) {
    if (name == table->name) return table->json;
  }
  return "";
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string WrittenFile(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/costs.json";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(FlatJson, HasNumbersAndTextsByPath) {
  const auto read = ReadFlatJson(
      R"({"a": 1, "b": {"c d": -2.5e3, "e": "x", "f": {}, "g": {"h": 3}}, "i": [4, {"j": 5}], "k": null, "l": true})");
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(read->numbers, (std::map<std::string, double>{{"a", 1}, {"b/c d", -2500}, {"b/g/h", 3}}));
  EXPECT_EQ(read->texts, (std::map<std::string, std::string>{{"b/e", "x"}}));
}

TEST(FlatJson, SaysWhereATextIsNoJson) {
  EXPECT_EQ(ReadFlatJson("").message(), "it is no JSON from byte 1 on");
  EXPECT_EQ(ReadFlatJson("{\"a\": 1,}").message(), "it is no JSON from byte 9 on");
  EXPECT_EQ(ReadFlatJson("{\"a\": 1} x").message(), "it is no JSON from byte 10 on");
  EXPECT_TRUE(ReadFlatJson(std::string(100000, '[') + std::string(100000, ']')).ok());
}

TEST(CostTable, EachInstructionSetHasAShippedTable) {
  const std::pair<const char*, const char*> tables[] = {
      {"avx512", "avx512"}, {"avx2", "avx2"}, {"neon", "a73"}, {"neon_a53", "a73"}, {"scalar", "avx2"}};
  for (const auto& [simd, name] : tables) {
    const auto table = ShippedCostTable(simd);
    ASSERT_TRUE(table.ok()) << table.message();
    EXPECT_EQ(table->name, name);
    EXPECT_GT(table->Time(PartitionAmounts()), 0);
  }
  EXPECT_STREQ(ShippedCostTable("neon")->simd->name, "neon");
  EXPECT_EQ(ShippedCostTable("neon")->nanoseconds.packed_conv.kernels, 3.4);
  EXPECT_EQ(ShippedCostTable("neon")->nanoseconds.cpu_window.read_bytes, 0.06);
}

TEST(CostTable, WeightsBeyondTheLastCacheCostMore) {
  const auto parsed = ParseCostTable("t", Replaced(ShippedText("a73"), "\"nanoseconds\"",
                                                   R"("limits": {"cache_bytes": {"L1": 10, "L2": 1000},
         "read_gigabytes_per_second": {"L1": 100, "L2": 4, "memory": 2}}, "nanoseconds")"));
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  EXPECT_EQ(parsed->last_cache_bytes, 1000);
  EXPECT_EQ(parsed->memory_nanoseconds, 0.25);
  EXPECT_EQ(parsed->ForModel(1000).nanoseconds.packed_conv.weight_bytes, 0.125);
  const Costs more = parsed->ForModel(1001).nanoseconds;
  EXPECT_EQ(more.packed_conv.weight_bytes, 0.375);
  EXPECT_EQ(more.tflite_fully_connected.weight_bytes, 0.375);
  EXPECT_EQ(more.cpu_edge.weight_bytes, 0);
  const auto unlimited = ShippedCostTable("neon");
  EXPECT_EQ(unlimited->ForModel(1e12).nanoseconds.packed_conv.weight_bytes, 0.125);
}

TEST(CostTable, ThreadsShareAllButTheStartOfAnOperator) {
  CostTable table;
  table.nanoseconds.packed_conv = table.nanoseconds.tflite_conv = {1, 0, 0, 0, 0, 0, 0, 0, 100};
  table.nanoseconds.cpu_edge = {0, 0, 0, 0, 0, 1, 0, 0, 100};
  table.nanoseconds.cpu_partition.layer = 500;
  table.nanoseconds.cpu_barrier.layer = 30;
  table.nanoseconds.tflite_barrier.layer = 60;
  const auto time = [&](Terms Costs::* entry, double amount, int num_threads) {
    return table.ForThreads(num_threads).Time({entry, {amount, 0, 0, 0, 0, amount, 0, 0, 1}});
  };
  EXPECT_EQ(time(&Costs::packed_conv, 400, 1), 500);
  EXPECT_EQ(time(&Costs::packed_conv, 400, 2), 100 + 200 + 30);
  EXPECT_EQ(time(&Costs::packed_conv, 400, 4), 100 + 100 + 30);
  EXPECT_EQ(time(&Costs::tflite_conv, 400, 4), 100 + 100 + 60);
  EXPECT_EQ(time(&Costs::cpu_edge, 400, 4), 100 + 100 + 30);
  EXPECT_EQ(time(&Costs::tflite_conv, 100, 2), 200);  // what is small is left to one thread
  EXPECT_EQ(table.ForThreads(8).Time(PartitionAmounts()), 500);
}

TEST(CostTable, FilesOfOlderVersionsHaveNoBarriers) {
  const std::string good = ShippedText("a73"), barriers = R"("cpu barrier": {"layer": 1000}, )";
  EXPECT_EQ(ShippedCostTable("neon")->nanoseconds.cpu_barrier.layer, 1000);
  const auto old = ParseCostTable("t", Replaced(good, barriers, ""));
  ASSERT_TRUE(old.ok()) << old.message();
  EXPECT_EQ(old->nanoseconds.cpu_barrier.layer, 0);
  EXPECT_EQ(old->Time(EdgeAmounts(1000)), ShippedCostTable("neon")->Time(EdgeAmounts(1000)));
  const auto none = ParseCostTable("t", Replaced(good, barriers, R"("cpu barrier": {"layer": 0}, )"));
  ASSERT_TRUE(none.ok()) << none.message();
  EXPECT_EQ(none->nanoseconds.cpu_barrier.layer, 0);
  for (const char* bad : {"-1", "1e999"}) {
    const auto parsed =
        ParseCostTable("t", Replaced(good, barriers, R"("cpu barrier": {"layer": )" + std::string(bad) + "}, "));
    EXPECT_FALSE(parsed.ok());
  }
  EXPECT_EQ(ParseCostTable("t", Replaced(good, barriers, R"("cpu barrier": {"layer": -1}, )")).message(),
            "the costs of 'cpu barrier' must be at least 0 and finite");
}

TEST(CostTable, BadOnesAreAClause) {
  const std::string good = ShippedText("a73");
  const auto error = [&](const char* from, const char* to) {
    return ParseCostTable("t", Replaced(good, from, to)).message();
  };
  EXPECT_EQ(error("\"format\": 2", "\"format\": 3"), "its format is 3, this version reads 2");
  EXPECT_EQ(error("\"format\": 2, ", ""), "it has no number 'format'");
  EXPECT_EQ(error("\"format\": 2", "\"format\": \"2\""), "it has no number 'format'");
  EXPECT_EQ(error("\"neon\"", "\"sve\""), "its simd is 'sve', known are avx512, avx2, neon, scalar");
  EXPECT_EQ(error("\"simd\": \"neon\", ", ""), "it has no text 'simd'");
  EXPECT_EQ(error("\"kernels\": 3.4", "\"kernel\": 3.4"), "it has no number 'nanoseconds/packed conv/kernels'");
  EXPECT_EQ(error("\"kernels\": 3.4", "\"kernels\": -3.4"),
            "the costs of 'packed conv' must be at least 0, finite, and not all 0");
  EXPECT_EQ(error("{\"layer\": 3000}", "{\"layer\": 0}"),
            "the costs of 'tflite inference' must be at least 0, finite, and not all 0");
  EXPECT_EQ(error("\"nanoseconds\"", R"("limits": {"cache_bytes": {"L1": 1}}, "nanoseconds")"),
            "it has no number 'limits/read_gigabytes_per_second/memory'");
  EXPECT_EQ(error("\"nanoseconds\"", R"("limits": {"cache_bytes": {"L1": 1},
      "read_gigabytes_per_second": {"L1": 1, "memory": 0}}, "nanoseconds")"),
            "its limits must be above 0");
}

TEST(CostTable, FilesAreReadWhole) {
  const std::string path = WrittenFile(ShippedText("avx512"));
  const auto table = ReadCostTable(path);
  ASSERT_TRUE(table.ok()) << table.message();
  EXPECT_EQ(table->name, path);
  EXPECT_EQ(table->nanoseconds.packed_conv.multiply_adds,
            ShippedCostTable("avx512")->nanoseconds.packed_conv.multiply_adds);
}

TEST(CostTable, BadFilesAreOneSentence) {
  const std::string begin = "expected a file that `mcpruner calibrate` wrote, got '";
  EXPECT_EQ(ReadCostTable("/no/such").message(), begin + "/no/such': it is no file");
  EXPECT_EQ(ReadCostTable(::testing::TempDir()).message(), begin + ::testing::TempDir() + "': it is no file");
  EXPECT_EQ(ReadCostTable("/dev/zero").message(), begin + "/dev/zero': it is no file");
  const std::string large = WrittenFile(std::string((16u << 20) + 1, ' '));
  EXPECT_EQ(ReadCostTable(large).message(), begin + large + "': it has more than 16777216 bytes");
  const std::string path = WrittenFile("{}");
  EXPECT_EQ(ReadCostTable(path).message(), begin + path + "': it has no number 'format'");
}

}  // namespace
}  // namespace mcpruner::cost
