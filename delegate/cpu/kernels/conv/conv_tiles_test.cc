#include "delegate/cpu/kernels/conv/conv_tiles.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "delegate/cpu/simd_targets.h"

namespace mcpruner {
namespace {

TEST(ConvTilesTest, CoverEachPixelOnceWithinTheRegisters) {
  for (const KernelTable* kernels : RunnableKernels()) {
    for (int w = 1; w <= 120; ++w) {
      for (const int h : {1, 2, 5, 7, 14}) {
        SCOPED_TRACE(std::string(kernels->target) + " " + std::to_string(h) + " x " + std::to_string(w));
        const HcwLayout out = MakeLayout({2, h, w, 3}, {});
        std::vector<int> covered(static_cast<size_t>(2 * h * w));
        for (const ConvTile& tile : MakeConvTiles(out, *kernels)) {
          ASSERT_LE(tile.rows * tile.vectors, MaxTileVectors(*kernels));
          ASSERT_GE(tile.columns, 1);
          ASSERT_LE(tile.columns, tile.vectors * tile.lanes);
          ASSERT_GT(tile.columns, (tile.vectors - 1) * tile.lanes);
          for (int y = tile.y; y < tile.y + tile.rows; ++y) {
            for (int x = tile.x; x < tile.x + tile.columns; ++x) {
              ++covered[static_cast<size_t>((tile.image * h + y) * w + x)];
            }
          }
        }
        ASSERT_EQ(covered, std::vector<int>(covered.size(), 1));
      }
    }
  }
}

TEST(ConvTilesTest, NarrowRestsGetNarrowVectors) {
  KernelTable kernels{};
  kernels.vector_floats = 16;
  kernels.registers = 32;
  for (const ConvTile& tile : MakeConvTiles(MakeLayout({1, 7, 7, 1}, {}), kernels)) EXPECT_EQ(tile.lanes, 8);
  for (const ConvTile& tile : MakeConvTiles(MakeLayout({1, 8, 14, 1}, {}), kernels)) EXPECT_EQ(tile.lanes, 16);
  for (const ConvTile& tile : MakeConvTiles(MakeLayout({1, 8, 52, 1}, {}), kernels)) {
    EXPECT_EQ(tile.lanes, tile.x < 48 ? 16 : 4);
  }
}

// What each share does, summed; and that every part of every tile is done once.
std::vector<int64_t> SharedWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work, int block,
                                int num_shares) {
  std::vector<int64_t> sums;
  std::vector<int> done(tiles.size() * work.size());
  for (const std::vector<ConvWork>& share : ShareConvWork(tiles, work, block, num_shares)) {
    sums.push_back(0);
    for (const ConvWork& w : share) {
      for (int part = w.first_part; part < w.last_part; ++part) {
        const ConvTile& tile = tiles[static_cast<size_t>(w.tile)];
        sums.back() += work[static_cast<size_t>(part)] * tile.rows * tile.vectors;
        ++done[static_cast<size_t>(w.tile) * work.size() + static_cast<size_t>(part)];
      }
    }
  }
  EXPECT_EQ(done, std::vector<int>(done.size(), 1));
  return sums;
}

TEST(ConvTilesTest, SharesDoEverythingOnceAndEqually) {
  KernelTable kernels{};
  kernels.vector_floats = 16;
  kernels.registers = 32;
  const std::vector<int64_t> work{5, 100, 1, 1, 60, 20, 20, 7};
  for (const int size : {1, 7, 14, 56}) {
    const std::vector<ConvTile> tiles = MakeConvTiles(MakeLayout({1, size, size, 1}, {}), kernels);
    for (const int block : {1, 3, 8}) {
      for (const int num_shares : {1, 2, 3, 8}) {
        const std::vector<int64_t> sums = SharedWork(tiles, work, block, num_shares);
        const int64_t all = std::accumulate(sums.begin(), sums.end(), int64_t{0});
        // A share ends with the part that fills it: it is over by less than the largest part of the largest tile.
        for (const int64_t sum : sums) EXPECT_LE(sum, all / num_shares + 100 * kConvMaxTileVectors + 1);
      }
    }
  }
}

TEST(ConvTilesTest, ALayerWithoutWorkStillStoresItsBias) {
  KernelTable kernels{};
  kernels.vector_floats = 4;
  kernels.registers = 32;
  SharedWork(MakeConvTiles(MakeLayout({1, 2, 2, 1}, {}), kernels), {0, 0, 0}, 2, 2);
}

}  // namespace
}  // namespace mcpruner
