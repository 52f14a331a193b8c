#include "delegate/opencl/run/tuner.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/testing/agreement.h"

namespace mcpruner {
namespace {

const Shape kOut{1, 4, 6, 4};

ConvParams SmallConv() {
  std::mt19937 rng(1);
  return {Window{}, RandomLayer(rng, LayerKind::kConv2D, {4, 1, 1, 4}, 4, 1, 1.0)};
}

std::string Folder(const char* name) {
  const std::string folder = ::testing::TempDir() + "/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

TEST(TunedTilesTest, AreKeptByDeviceLayerAndShape) {
  const std::string folder = Folder("tiles");
  opencl::DeviceInfo device;
  device.name = "some GPU";
  device.max_work_group = 256;
  const opencl::TunedTiles tuned(opencl::DiskCache(folder), device, Precision::kFloat32);
  const ConvParams conv = SmallConv();
  EXPECT_FALSE(tuned.Load(conv, kOut));
  tuned.Store(conv, kOut, {16, 2, 1});
  ASSERT_TRUE(tuned.Load(conv, kOut));
  EXPECT_TRUE(*tuned.Load(conv, kOut) == (opencl::ConvTile{16, 2, 1}));
  EXPECT_FALSE(tuned.Load(conv, {2, 4, 6, 4}));
  EXPECT_FALSE(opencl::TunedTiles(opencl::DiskCache(folder), device, Precision::kFloat16Storage).Load(conv, kOut));
  tuned.Store(conv, kOut, {16, 8, 1});  // more pixels than the output has rows: of a damaged cache
  EXPECT_FALSE(tuned.Load(conv, kOut));
  device.driver = "2.0";
  EXPECT_FALSE(opencl::TunedTiles(opencl::DiskCache(folder), device, Precision::kFloat32).Load(conv, kOut));
}

TEST(TunerTest, SaysWhatWasGainedOrThatItIsNotKnown) {
  const std::vector<opencl::TileTime> times = {{{16, 2, 1}, 3.14}, {{32, 1, 2}, 4.0}};
  EXPECT_EQ(opencl::TunedText(times, {32, 1, 2}), "16 lanes, 2 pixels, split 1: 3.1 us, by the table 4.0 us");
  EXPECT_EQ(opencl::TunedText(times, {16, 2, 1}), "16 lanes, 2 pixels, split 1: 3.1 us, by the table 3.1 us");
  EXPECT_EQ(opencl::TunedText(times, {64, 4, 1}), "16 lanes, 2 pixels, split 1: 3.1 us, by the table not measured");
}

TEST(TunerTest, KeepsTheFastestTileAndUsesIt) {
  MCPRUNER_NEEDS_OPENCL();
  GraphBuilder b;
  const Graph graph = b.Finish({b.Op(OpType::kConv, {b.Input(kOut)}, SmallConv())});
  std::vector<std::string> lines;
  OpenClOptions options;
  options.cache_dir = Folder("tuner");
  options.tune = true;
  options.log = [&](const std::string& line) { lines.push_back(line); };
  const auto run = [&] {
    auto backend = CreateOpenClBackend(options);
    EXPECT_TRUE(backend.ok()) << backend.message();
    const auto executable = (*backend)->Compile(graph);
    EXPECT_TRUE(executable.ok()) << executable.message();
    return (*executable)->Profile()[1].kernel;
  };
  const std::string kernel = run();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].rfind("tuned 't1' to ", 0), 0u) << lines[0];
  EXPECT_EQ(run(), kernel);  // known now
  EXPECT_EQ(lines.size(), 1u);
  const std::string tile = kernel.substr(std::string("conv g4 ").size());
  EXPECT_NE(lines[0].find(tile + ":"), std::string::npos) << lines[0] << " / " << kernel;
}

}  // namespace
}  // namespace mcpruner
