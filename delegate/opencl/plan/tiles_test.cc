#include "delegate/opencl/plan/tiles.h"

#include <gtest/gtest.h>

namespace mcpruner::opencl {
namespace {

DeviceInfo Gpu(const char* vendor, const char* name, int compute_units, int max_work_group, int local_bytes) {
  DeviceInfo device;
  device.vendor = vendor;
  device.name = name;
  device.compute_units = compute_units;
  device.max_work_group = max_work_group;
  device.local_bytes = local_bytes;
  return device;
}

DeviceInfo H200() { return Gpu("NVIDIA Corporation", "NVIDIA H200", 132, 1024, 48 << 10); }
DeviceInfo MaliG72() { return Gpu("ARM", "Mali-G72", 12, 384, 32 << 10); }

ConvTile Choose(const DeviceInfo& device, const ConvSizes& sizes) {
  return ChooseConvTile(TilesFor(device), device, sizes);
}

void ExpectTile(const ConvTile& tile, const ConvTile& expected) {
  EXPECT_TRUE(tile == expected) << tile.lanes << " lanes, " << tile.pixels << " pixels, split " << tile.split;
}

// For these sparse layers of VGG-16 and ResNet-18, the tile was the fastest of all, or within 1 % of it
// (docs/opencl.md).
TEST(TilesTest, AnH200SplitsSmallLayers) {
  ExpectTile(Choose(H200(), {16, 1, 224, 224, 104}), {32, 8, 1});
  ExpectTile(Choose(H200(), {32, 1, 112, 112, 204}), {32, 8, 2});
  ExpectTile(Choose(H200(), {16, 1, 56, 56, 104}), {32, 2, 4});
  ExpectTile(Choose(H200(), {128, 1, 7, 7, 820}), {32, 2, 32});
}

// The first is split in 4 where kReadTap is 1.2 or kAddSum 3.1, the second has 8 pixels where they are 1.3 or 2.9.
TEST(TilesTest, CloseDecisionsHangOnTheFittedNumbers) {
  ExpectTile(Choose(H200(), {16, 1, 28, 28, 36}), {32, 1, 8});
  ExpectTile(Choose(H200(), {64, 1, 56, 56, 410}), {32, 4, 2});
}

TEST(TilesTest, AMaliSharesWeightsAmongPixels) {
  ExpectTile(Choose(MaliG72(), {16, 1, 56, 56, 104}), {16, 4, 1});
  EXPECT_LE(Choose(MaliG72(), {128, 1, 7, 7, 820}).split, 8);
}

TEST(TilesTest, SharesHaveWork) {
  for (const ConvTile& tile : ConvTileCandidates(H200(), {16, 1, 8, 8, 12})) EXPECT_LE(tile.split, 3);
  ExpectTile(Choose(H200(), {1, 1, 1, 1, 4}), {32, 1, 1});
}

TEST(TilesTest, FewerColumnsAreStagedWhereLocalMemoryIsShort) {
  ConvSizes dense{128, 1, 7, 7, 4608, 3};
  EXPECT_EQ(StagedColumns(H200(), dense, {32, 2, 16}), 32);
  EXPECT_EQ(StagedColumns(H200(), dense, {32, 2, 32}), 16);
  EXPECT_TRUE(FitsConvTile(H200(), dense, {32, 2, 32}));
  EXPECT_FALSE(FitsConvTile(H200(), dense, {32, 4, 32}));  // 64 KiB of sums
  EXPECT_FALSE(FitsConvTile(H200(), dense, {64, 2, 32}));  // more items than a work-group has
}

}  // namespace
}  // namespace mcpruner::opencl
