#include "delegate/cpu/kernels/conv/conv_tiles.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "delegate/cpu/engine/simd_targets.h"

namespace mcpruner {
namespace {

MicroKernels Avx512Like() {
  MicroKernels micro_kernels{};
  micro_kernels.vector_floats = 16;
  micro_kernels.registers = 32;
  return micro_kernels;
}

// Makes the tiles of one band, which is the whole image.
std::vector<ConvTile> TilesOf(int h, int w, const MicroKernels& micro_kernels, const ConvVectorCosts& costs = {}) {
  return MakeConvTiles(MakeConvBands(MakeLayout({1, h, w, 1}, {}), {0, h}, 0), w, micro_kernels, costs);
}

// Counts how often each pixel of 2 images is stored.
std::vector<int> Covered(const std::vector<ConvTile>& tiles, int h, int w) {
  std::vector<int> covered(static_cast<size_t>(2 * h * w));
  for (const ConvTile& tile : tiles) {
    for (int v = tile.first_vector; v < tile.first_vector + tile.num_vectors; ++v) {
      const ConvTile::Pixels pixels = tile.At(v);
      for (int x = pixels.x; x < pixels.x + pixels.count; ++x) {
        const auto first = static_cast<size_t>((tile.band.image * h + pixels.y) * w + x);
        covered[first] += pixels.store_first ? 1 : 0;
        if (pixels.store_second) ++covered[first + static_cast<size_t>(w)];
      }
    }
  }
  return covered;
}

TEST(ConvTilesTest, CoverEachPixelOnceWithinTheRegisters) {
  for (const MicroKernels* micro_kernels : RunnableMicroKernels()) {
    for (const ConvVectorCosts& costs :
         {ConvVectorCosts{}, ConvVectorCosts{0.1, 9, 9}, ConvVectorCosts{9, 0.1, 9}, ConvVectorCosts{9, 9, 0.1}}) {
      for (int w = 1; w <= 70; ++w) {
        for (const int h : {1, 2, 5, 7, 14}) {
          SCOPED_TRACE(std::string(micro_kernels->target) + " " + std::to_string(h) + " x " + std::to_string(w));
          for (const int max_rows : {0, 1, 3}) {
            const HcwLayout out = MakeLayout({2, h, w, 3}, {});
            const std::vector<ConvTile> tiles =
                MakeConvTiles(MakeConvBands(out, {0, 2 * h}, max_rows), w, *micro_kernels, costs);
            for (const ConvTile& tile : tiles) {
              ASSERT_GE(tile.num_vectors, 1);
              ASSERT_LE(tile.num_vectors, MaxTileVectors(*micro_kernels));
            }
            ASSERT_EQ(Covered(tiles, h, w), std::vector<int>(static_cast<size_t>(2 * h * w), 1));
          }
        }
      }
    }
  }
}

// On images of up to 4320 x 7680, the product of a band's vectors and its tiles does not fit 32 bits, nor do some of
// 16.
TEST(ConvTilesTest, LargeImagesAreCoveredOnce) {
  struct Case {
    int lanes, registers, h, w;
  };
  for (const Case& c : {Case{1, 16, 384, 384}, Case{1, 16, 1400, 1401}, Case{4, 32, 674, 675}, Case{4, 32, 2160, 3841},
                        Case{8, 16, 900, 900}, Case{8, 16, 32768, 65}, Case{16, 32, 1080, 1920},
                        Case{16, 32, 65537, 33}, Case{16, 32, 4320, 7680}}) {
    SCOPED_TRACE(std::to_string(c.lanes) + " lanes, " + std::to_string(c.h) + " x " + std::to_string(c.w));
    MicroKernels micro_kernels{};
    micro_kernels.vector_floats = c.lanes;
    micro_kernels.registers = c.registers;
    std::map<int, int> next;  // vector of each panel
    int64_t pixels = 0;
    for (const ConvTile& tile : TilesOf(c.h, c.w, micro_kernels)) {
      ASSERT_EQ(tile.first_vector, next[tile.x]);
      ASSERT_GE(tile.num_vectors, 1);
      ASSERT_LE(tile.num_vectors, MaxTileVectors(micro_kernels));
      next[tile.x] += tile.num_vectors;
      for (int v = tile.first_vector; v < next[tile.x]; ++v) {
        const ConvTile::Pixels at = tile.At(v);
        pixels += at.count * ((at.store_first ? 1 : 0) + (at.store_second ? 1 : 0));
      }
    }
    EXPECT_EQ(pixels, int64_t{c.h} * c.w);
  }
}

TEST(ConvTilesTest, BandsOfATallImageFollowEachOther) {
  constexpr int kRows = 1 << 20;
  int row = 0;
  for (const ConvBand& band : MakeConvBands(MakeLayout({1, kRows, 1, 1}, {}), {0, kRows}, 3)) {
    ASSERT_EQ(band.first_row, row);
    ASSERT_LE(band.last_row - band.first_row, 3);
    row = band.last_row;
  }
  EXPECT_EQ(row, kRows);
}

TEST(ConvTilesTest, RestsOfRowsGetTheCheapestVectors) {
  const MicroKernels micro_kernels = Avx512Like();
  const ConvVectorCosts twice_256{1.3, 0.55, 0.65};  // 512 bits as twice 256
  for (const ConvTile& tile : TilesOf(7, 7, micro_kernels)) EXPECT_TRUE(tile.lanes == 16 && tile.two_rows);
  for (const ConvTile& tile : TilesOf(7, 7, micro_kernels, twice_256)) EXPECT_TRUE(tile.lanes == 8 && !tile.two_rows);
  for (const ConvTile& tile : TilesOf(4, 4, micro_kernels, twice_256)) EXPECT_TRUE(tile.lanes == 8 && tile.two_rows);
  for (const ConvTile& tile : TilesOf(8, 14, micro_kernels)) EXPECT_TRUE(tile.lanes == 16 && !tile.two_rows);
  for (const ConvTile& tile : TilesOf(8, 56, micro_kernels)) EXPECT_EQ(tile.two_rows, tile.x == 48);
  // A single row has no partner, and where the widest vectors cost the same as others they are taken.
  for (const ConvTile& tile : TilesOf(1, 7, micro_kernels)) EXPECT_TRUE(tile.lanes == 16 && !tile.two_rows);
}

TEST(ConvTilesTest, BandsLieWithinOneImage) {
  const std::vector<ConvBand> bands = MakeConvBands(MakeLayout({3, 5, 8, 1}, {}), {3, 12}, 2);
  ASSERT_EQ(bands.size(), 5u);  // rows 3, 4 of the first image; 0-1, 2-3 (or so), 4 of the second; 0, 1 of the third
  int row = 3;
  for (const ConvBand& band : bands) {
    EXPECT_EQ(band.image * 5 + band.first_row, row);
    EXPECT_LE(band.last_row - band.first_row, 2);
    row = band.image * 5 + band.last_row;
  }
  EXPECT_EQ(row, 12);
}

// Returns how much each share does, and checks that every part of every tile is done once.
std::vector<double> SharedWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work, int block,
                               int num_shares) {
  std::vector<double> sums;
  std::vector<int> done(tiles.size() * work.size());
  for (const std::vector<TileParts>& share : ShareConvWork(tiles, work, block, num_shares)) {
    sums.push_back(0);
    for (const TileParts& w : share) {
      for (int part = w.first_part; part < w.last_part; ++part) {
        const ConvTile& tile = tiles[static_cast<size_t>(w.tile)];
        sums.back() += static_cast<double>(work[static_cast<size_t>(part)]) * tile.cost;
        ++done[static_cast<size_t>(w.tile) * work.size() + static_cast<size_t>(part)];
      }
    }
  }
  EXPECT_EQ(done, std::vector<int>(done.size(), 1));
  return sums;
}

TEST(ConvTilesTest, SharesDoEverythingOnceAndEqually) {
  const std::vector<int64_t> work{5, 100, 1, 1, 60, 20, 20, 7};
  for (const int size : {1, 7, 14, 56}) {
    const std::vector<ConvTile> tiles = TilesOf(size, size, Avx512Like());
    for (const int block : {1, 3, 8}) {
      for (const int num_shares : {1, 2, 3, 8}) {
        const std::vector<double> sums = SharedWork(tiles, work, block, num_shares);
        const double all = std::accumulate(sums.begin(), sums.end(), 0.0);
        // A share ends with the part that fills it: it is over by less than the largest part of the largest tile.
        for (const double sum : sums) EXPECT_LE(sum, all / num_shares + 100 * 1.1 * int{kConvMaxTileVectors} + 1);
      }
    }
  }
}

TEST(ConvTilesTest, ALayerWithoutWorkStillStoresItsBias) { SharedWork(TilesOf(2, 2, Avx512Like()), {0, 0, 0}, 2, 2); }

}  // namespace
}  // namespace mcpruner
