#include "delegate/graph/weights/blob_reader.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <set>

#include "delegate/graph/weights/units.h"
#include "flatbuffers/flatbuffers.h"
#include "format/sparse_pattern_generated.h"
#include "gtest/gtest.h"

namespace mcpruner {
namespace {

std::vector<uint8_t> ReadFile(const std::string& name) {
  std::ifstream file("tests/golden/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

// Checks everything that kernels trust a layer with.
void ExpectHoldsTogether(const SparseLayer& layer) {
  const size_t filters = static_cast<size_t>(layer.out_channels);
  EXPECT_EQ(layer.permutation.size(), filters);
  EXPECT_EQ(layer.bias.size(), filters);
  ASSERT_EQ(layer.group_run_begin.size(), static_cast<size_t>(layer.num_groups()) + 1);
  ASSERT_EQ(layer.group_run_begin.back(), layer.runs.size());
  size_t kernels = 0, values = 0;
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    std::set<uint16_t> seen;
    for (uint32_t r = layer.group_run_begin[g]; r < layer.group_run_begin[g + 1]; ++r) {
      const SparseLayer::Run& run = layer.runs[r];
      ASSERT_LT(run.pattern, layer.patterns.size());
      const size_t taps = std::bitset<64>(layer.patterns[run.pattern]).count();
      for (int k = 0; k < run.count; ++k, ++kernels) {
        ASSERT_LT(kernels, layer.channels.size());
        EXPECT_LT(layer.channels[kernels], layer.in_channels);
        EXPECT_TRUE(seen.insert(layer.channels[kernels]).second);
        EXPECT_TRUE(k == 0 || layer.channels[kernels - 1] < layer.channels[kernels]);
        values += taps * static_cast<size_t>(layer.group_size);
      }
    }
  }
  EXPECT_EQ(kernels, layer.channels.size());
  const std::vector<float> floats = FloatValues(layer);
  EXPECT_EQ(values, floats.size());
  EXPECT_TRUE(std::all_of(floats.begin(), floats.end(), [](float v) { return std::isfinite(v); }));
}

class GoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTest, ReadsToItsWeights) {
  const std::vector<uint8_t> blob = ReadFile(std::string(GetParam()) + ".mcp");
  const std::vector<uint8_t> expected = ReadFile(std::string(GetParam()) + ".f32");
  const Result<SparseLayer> layer = ReadSparseLayer(blob);
  ASSERT_TRUE(layer.ok()) << layer.message();
  const std::vector<float> weights = DenseWeights(*layer);
  ASSERT_EQ(weights.size() * sizeof(float), expected.size());
  EXPECT_EQ(std::memcmp(weights.data(), expected.data(), expected.size()), 0);
}

TEST_P(GoldenTest, ReadsFromAnyAddress) {
  const std::vector<uint8_t> blob = ReadFile(std::string(GetParam()) + ".mcp");
  std::vector<uint8_t> shifted(blob.size() + 1);
  std::copy(blob.begin(), blob.end(), shifted.begin() + 1);
  EXPECT_TRUE(ReadSparseLayer(Span<const uint8_t>(shifted.data() + 1, blob.size())).ok());
}

// Whatever is done to a blob, reading ends with a layer that holds together or with one sentence.
TEST_P(GoldenTest, SurvivesMutations) {
  const std::vector<uint8_t> blob = ReadFile(std::string(GetParam()) + ".mcp");
  std::mt19937 rng(11);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint8_t> mutant = blob;
    const int changes = 1 + static_cast<int>(rng() % 3);
    for (int k = 0; k < changes; ++k) mutant[rng() % mutant.size()] = static_cast<uint8_t>(rng());
    if (rng() % 4 == 0) std::swap(mutant[rng() % mutant.size()], mutant[rng() % mutant.size()]);
    if (rng() % 4 == 0) mutant.resize(rng() % mutant.size());
    const Result<SparseLayer> layer = ReadSparseLayer(mutant);
    if (layer.ok()) {
      ExpectHoldsTogether(*layer);
    } else {
      ++refused;
      EXPECT_EQ(layer.message().rfind("expected that ", 0), 0u);
      EXPECT_EQ(layer.message().find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, 300);
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTest,
                         ::testing::Values("readme", "readme_float16", "readme_int8", "long_gaps", "all_pruned",
                                           "dense_64_positions", "units", "units_float16", "units_grouped"));

// Reads the README's layer as flatc's object, with one rule broken by `change`.
std::string MessageAfter(const char* file, const std::function<void(format::SparseLayerT*)>& change) {
  const std::vector<uint8_t> blob = ReadFile(file);
  format::SparseLayerT object;
  format::GetSparseLayer(blob.data())->UnPackTo(&object);
  change(&object);
  flatbuffers::FlatBufferBuilder builder;
  format::FinishSparseLayerBuffer(builder, format::SparseLayer::Pack(builder, &object));
  const Result<SparseLayer> layer = ReadSparseLayer(Span<const uint8_t>(builder.GetBufferPointer(), builder.GetSize()));
  return layer.message();
}

#define EXPECT_REFUSED(file, change, sentence) \
  EXPECT_NE(MessageAfter(file, [](format::SparseLayerT* t) { change; }).find(sentence), std::string::npos)

TEST(ReadSparseLayerTest, NamesEachBrokenRuleOfShapeAndRuns) {
  EXPECT_REFUSED("readme.mcp", t->version = 3, "version is 1 or 2, got 3");
  EXPECT_REFUSED("readme.mcp", t->version = 0, "version is 1 or 2, got 0");
  EXPECT_REFUSED("readme.mcp", t->kind = static_cast<format::LayerKind>(3), "kind is 0, 1 or 2");
  EXPECT_REFUSED("readme.mcp", t->kind = format::LayerKind_FullyConnected, "one kernel position");
  EXPECT_REFUSED("readme.mcp", t->value_type = static_cast<format::ValueType>(3), "value_type is");
  EXPECT_REFUSED("readme.mcp", t->kernel_height = 33, "1 to 64 positions, got 66");
  EXPECT_REFUSED("readme.mcp", t->kernel_height = 0, "1 to 64 positions");
  EXPECT_REFUSED("readme.mcp", t->in_channels = 0, "in_channels is at least 1");
  EXPECT_REFUSED("readme.mcp", t->out_channels = 0, "out_channels is at least 1");
  EXPECT_REFUSED("readme.mcp", t->group_size = 3, "group_size is a power of two, 1 to 16, got 3");
  EXPECT_REFUSED("readme.mcp", t->patterns[0] = 0, "no pattern is empty");
  EXPECT_REFUSED("readme.mcp", t->patterns[0] = 16, "positions below 4");
  EXPECT_REFUSED("readme.mcp", t->patterns[0] = t->patterns[1], "all patterns are different");
  EXPECT_REFUSED("readme.mcp", t->patterns.assign(65536, 1), "at most 65535 patterns");
  EXPECT_REFUSED("readme.mcp", t->group_runs.pop_back(), "group_runs has 2 entries");
  EXPECT_REFUSED("readme.mcp", t->group_runs[0] = 0xffffffff, "group_runs add up to 2");
  EXPECT_REFUSED("readme.mcp", t->run_counts.pop_back(), "as long as run_patterns");
  EXPECT_REFUSED("readme.mcp", t->run_patterns[0] = 2, "run_patterns are below 2");
  EXPECT_REFUSED("readme.mcp", t->run_counts[0] = 0, "run_counts are 1 to 3");
}

TEST(ReadSparseLayerTest, NamesEachBrokenRuleOfKernelsAndValues) {
  EXPECT_REFUSED("readme.mcp", t->channel_gaps[0] = 3, "channels are below 3");
  EXPECT_REFUSED("readme.mcp", t->channel_gaps.pop_back(), "too few bytes");
  EXPECT_REFUSED("readme.mcp", t->channel_gaps.push_back(0), "1 more");
  EXPECT_REFUSED("readme.mcp", t->channel_gaps.back() = 255, "too few bytes");
  EXPECT_REFUSED("readme.mcp",
                 (t->run_counts = {1, 1}, t->run_patterns = {0, 1}, t->group_runs = {2, 0}, t->channel_gaps = {1, 1},
                  t->values.resize(4 * 12)),
                 "once in a filter group");
  EXPECT_REFUSED("readme.mcp", t->values.pop_back(), "values take 80 bytes, got 79");
  EXPECT_REFUSED("readme.mcp", t->values.back() = 1, "lanes beyond the last filter");
  EXPECT_REFUSED("readme.mcp", t->values[3] = 0xff; t->values[2] = 0xff, "values are finite");
  EXPECT_REFUSED("readme_int8.mcp", t->values[0] = 0x80, "-127 to 127");
  EXPECT_REFUSED("readme_int8.mcp", t->scales[0] = -1, "scales are finite");
  EXPECT_REFUSED("readme_int8.mcp", t->scales[0] = std::numeric_limits<float>::max(), "values are finite");
  EXPECT_REFUSED("readme_int8.mcp", t->scales.clear(), "a scale for each of 5 filters");
  EXPECT_REFUSED("readme.mcp", t->scales.resize(5), "only int8 values have scales");
  EXPECT_REFUSED("readme.mcp", t->permutation[0] = 0, "permutation has each of 5 filters once");
  EXPECT_REFUSED("readme.mcp", t->permutation.pop_back(), "permutation has each");
  EXPECT_REFUSED("readme.mcp", t->bias.pop_back(), "there are 5 biases");
  EXPECT_REFUSED("readme.mcp", t->bias[0] = std::numeric_limits<float>::infinity(), "biases are finite");
}

TEST(ReadSparseLayerTest, NamesEachBrokenRuleOfUnitsAndGroups) {
  EXPECT_REFUSED("units.mcp", t->unit_channels = 3, "unit_channels is a power of two, 1 to 16, got 3");
  EXPECT_REFUSED("units.mcp", t->unit_channels = 0, "unit_channels is a power of two, 1 to 16, got 0");
  EXPECT_REFUSED("units.mcp", t->unit_channels = 8, "channels are below 2, got 2");
  EXPECT_REFUSED("units.mcp", t->in_channels = 8, "channels are below 2, got 2");
  EXPECT_REFUSED("units.mcp", t->in_channels = 9, "values beyond the last channel are +0");
  EXPECT_REFUSED("units.mcp", t->values.resize(t->values.size() - 4), "values take ");
  EXPECT_REFUSED("units.mcp", t->groups = 0, "groups divide the channels and the filters, got 0");
  EXPECT_REFUSED("units.mcp", t->groups = 2, "groups divide the channels and the filters, got 2");
  EXPECT_REFUSED("units_float16.mcp", (t->groups = 3, t->in_channels = 6), "only convolutions have groups, got 3");
  EXPECT_REFUSED("units_grouped.mcp", t->group_size = 8, "group_size divides the filters of a group, got 8");
  EXPECT_REFUSED("units_grouped.mcp", std::swap(t->permutation[0], t->permutation[7]),
                 "permutation leaves every filter in its group");
  EXPECT_EQ(MessageAfter("units_grouped.mcp",
                         [](format::SparseLayerT* t) { std::swap(t->permutation[0], t->permutation[1]); }),
            "");
}

TEST(ReadSparseLayerTest, VersionOneHasNothingOfVersionTwo) {
  const char* const sentence = "a layer of version 1 has nothing of version 2";
  EXPECT_REFUSED("readme.mcp", t->unit_channels = 2, sentence);
  EXPECT_REFUSED("readme.mcp", t->groups = 0, sentence);
  EXPECT_REFUSED("units_grouped.mcp", t->version = 1, sentence);
  EXPECT_REFUSED("int8_tensors.mcp", t->version = 1, sentence);
  EXPECT_EQ(MessageAfter("readme.mcp", [](format::SparseLayerT* t) { t->version = 2; }), "");
}

TEST(ReadSparseLayerTest, VerifiesLayersOfInt8TensorsAndSaysThatTheyDoNotRunYet) {
  EXPECT_EQ(ReadSparseLayer(ReadFile("int8_tensors.mcp")).message(),
            "its activations are int8, which this version of the plugin does not run yet");
  EXPECT_REFUSED("int8_tensors.mcp", t->tensor_type = static_cast<format::TensorType>(2), "tensor_type is 0 or 1");
  EXPECT_REFUSED("int8_tensors.mcp", t->value_type = format::ValueType_Float32, "int8 tensors have int8 values");
  EXPECT_REFUSED("int8_tensors.mcp", t->bias.resize(6), "the bias of a layer of int8 tensors is int_bias");
  EXPECT_REFUSED("int8_tensors.mcp", t->int_bias.pop_back(), "there are 6 of int_bias, got 5");
  EXPECT_REFUSED("int8_tensors.mcp", t->scales[2] = 0, "scales of a layer of int8 tensors are above 0");
  EXPECT_REFUSED("int8_tensors.mcp", t->values[0] = 0x80, "-127 to 127");
  EXPECT_REFUSED("int8_tensors.mcp", t->permutation[0] = 1, "permutation has each");
  EXPECT_REFUSED("units.mcp", t->int_bias.resize(5), "only layers of int8 tensors have int_bias");
}

// The values of a kernel of unit 1, two filters and two positions, become those of two kernels, of channels 2 and 3.
TEST(TakeUnitsApartTest, GivesEachChannelAKernel) {
  SparseLayer layer;
  layer.kernel_width = 2;
  layer.in_channels = 4;
  layer.out_channels = layer.group_size = 2;
  layer.patterns = {0b11};
  layer.group_run_begin = {0, 1};
  layer.runs = {{0, 1}};
  layer.channels.push_back(1);
  const std::vector<uint8_t> values = {1, 2, 3, 4, 5, 6, 7, 8};
  const Result<std::vector<uint8_t>> apart = TakeUnitsApart({2, 1}, values, 1, &layer);
  ASSERT_TRUE(apart.ok());
  EXPECT_EQ(*apart, (std::vector<uint8_t>{1, 3, 5, 7, 2, 4, 6, 8}));
  EXPECT_EQ(layer.runs[0].count, 2);
  EXPECT_EQ(std::vector<uint16_t>(layer.channels.begin(), layer.channels.end()), (std::vector<uint16_t>{2, 3}));
}

TEST(ReadSparseLayerTest, RefusesWhatTheVerifierCannotTake) {
  const std::vector<uint8_t> blob = ReadFile("readme.mcp");
  const Span<const uint8_t> too_large(blob.data(), size_t{1} << 31);  // refused before a byte of it is read
  EXPECT_NE(ReadSparseLayer(too_large).message().find("got 2147483648 bytes"), std::string::npos);
}

TEST(ReadSparseLayerTest, ReadsAbsentVectorsAsTheirDefaults) {
  EXPECT_EQ(MessageAfter("readme.mcp", [](format::SparseLayerT* t) { t->permutation.clear(); }), "");
  EXPECT_NE(ReadSparseLayer({}).message(), "");
}

// Makes two groups of two filters over three channels; the last filter has only the second channel.
format::SparseLayerT FullyConnected(format::ValueType type, std::vector<uint8_t> values) {
  format::SparseLayerT t;
  t.version = 1;
  t.kind = format::LayerKind_FullyConnected;
  t.kernel_height = t.kernel_width = 1;
  t.in_channels = t.out_channels = 3;
  t.group_size = 2;
  t.patterns = {1};
  t.group_runs = {1, 1};
  t.run_patterns = {0, 0};
  t.run_counts = {2, 1};
  t.channel_gaps = {0, 1, 1};
  t.value_type = type;
  t.values = std::move(values);
  return t;
}

Result<SparseLayer> PackAndRead(const format::SparseLayerT& object) {
  flatbuffers::FlatBufferBuilder builder;
  format::FinishSparseLayerBuffer(builder, format::SparseLayer::Pack(builder, &object));
  return ReadSparseLayer(Span<const uint8_t>(builder.GetBufferPointer(), builder.GetSize()));
}

TEST(ReadSparseLayerTest, FullyConnectedLayersKeepInt8) {
  format::SparseLayerT t = FullyConnected(format::ValueType_Int8, {1, 2, 0xff, 0x81, 5, 0});
  t.scales = {0.5f, 2.0f, 1.0f};
  const Result<SparseLayer> layer = PackAndRead(t);
  ASSERT_TRUE(layer.ok()) << layer.message();
  EXPECT_TRUE(layer->values.empty());
  EXPECT_TRUE(std::equal(layer->narrow.begin(), layer->narrow.end(), t.values.begin(), t.values.end()));
  EXPECT_EQ(layer->scales, t.scales);
  EXPECT_EQ(FloatValues(*layer), (std::vector<float>{0.5f, 4, -0.5f, -254, 5, 0}));
  EXPECT_EQ(DenseWeights(*layer), (std::vector<float>{0.5f, 0, -0.5f, 4, 0, -254, 0, 5, 0}));
}

TEST(ReadSparseLayerTest, FullyConnectedLayersKeepFloat16) {
  // The values are 1, 2, -0.5 and the smallest subnormal, then 1.5 and a zero lane.
  const std::vector<uint8_t> values = {0, 0x3c, 0, 0x40, 0, 0xb8, 1, 0, 0, 0x3e, 0, 0};
  const Result<SparseLayer> layer = PackAndRead(FullyConnected(format::ValueType_Float16, values));
  ASSERT_TRUE(layer.ok()) << layer.message();
  EXPECT_TRUE(layer->values.empty() && layer->scales.empty());
  EXPECT_TRUE(std::equal(layer->narrow.begin(), layer->narrow.end(), values.begin(), values.end()));
  EXPECT_EQ(FloatValues(*layer), (std::vector<float>{1, 2, -0.5f, std::ldexp(1.0f, -24), 1.5f, 0}));
}

TEST(ReadSparseLayerTest, KeptValuesAreCheckedToo) {
  const auto message = [](format::ValueType type, std::vector<uint8_t> values, std::vector<float> scales) {
    format::SparseLayerT t = FullyConnected(type, std::move(values));
    t.scales = std::move(scales);
    return PackAndRead(t).message();
  };
  const float huge = std::numeric_limits<float>::max();
  EXPECT_EQ(message(format::ValueType_Int8, {1, 1, 1, 1, 1, 0}, {huge, 1, 1}), "");
  EXPECT_NE(message(format::ValueType_Int8, {1, 1, 2, 1, 1, 0}, {huge, 1, 1}).find("values are finite"),
            std::string::npos);
  EXPECT_NE(message(format::ValueType_Int8, {1, 0x80, 1, 1, 1, 0}, {1, 1, 1}).find("-127 to 127"), std::string::npos);
  EXPECT_NE(message(format::ValueType_Int8, {1, 1, 1, 1, 1, 1}, {1, 1, 1}).find("lanes beyond"), std::string::npos);
  EXPECT_NE(message(format::ValueType_Float16, {0, 0x7c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {}).find("values are finite"),
            std::string::npos);
  EXPECT_NE(message(format::ValueType_Float16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}, {}).find("lanes beyond"),
            std::string::npos);
}

}  // namespace
}  // namespace mcpruner
