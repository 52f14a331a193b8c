#include "delegate/opencl/plan/tiles.h"

#include <algorithm>
#include <cctype>

namespace mcpruner::opencl {
namespace {

constexpr int64_t kLeastPortion = 4;  // taps: a step of the convolution's loop
constexpr int64_t kFilters = 4;       // of a part, at most
// An item does this work beside the multiply-adds of its taps, counted in multiply-adds of a tap and a pixel. The two
// numbers were fitted to an H200: the tiles that they choose take 2.3 % longer than the fastest, over the layers of
// VGG-16 and ResNet-18 (docs/opencl.md).
constexpr double kReadTap = 1.25;  // reading a tap's weights and displacement
constexpr double kAddSum = 3;      // adding up a sum of a portion with those of the others

// A Row holds for devices whose vendor and name, in lower case, contain its `vendor` and `device`; the first such row
// counts.
struct Row {
  const char* vendor;
  const char* device;
  DeviceTiles tiles;
};
constexpr Row kRows[] = {
    // Bifrost has warps of 4 threads and 384 threads a core. 4x4 sums and their operands fit its registers
    // (docs/opencl.md).
    {"arm", "mali-g72", {"mali-g72", 16, 384, 4, 4, 8, 0, 4}},
    {"arm", "mali", {"mali", 16, 384, 4, 4, 8, 0, 4}},
    // No measurement on an Adreno is on record: this row is an estimate.
    {"qualcomm", "", {"adreno", 64, 512, 4, 8, 8, 0, 4}},
    // This was measured on an H200 (docs/opencl.md): 22 warps a multiprocessor.
    {"nvidia", "", {"nvidia", 32, 704, 8, 32, 16, 1, 8}},
    // On a CPU, work-items of a group become vectors and loops; more groups than cores gain nothing.
    {"", "pthread", {"pocl", 64, 256, 4, 1, 16, 0, 8}},
    {"", "cpu", {"pocl", 64, 256, 4, 1, 16, 0, 8}},
};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Returns the bytes of a column in local memory: its displacement and weights.
int64_t ColumnBytes(const ConvSizes& sizes) { return 4 + 4 * kFilters * sizes.column_rows; }

}  // namespace

DeviceTiles TilesFor(const DeviceInfo& device) {
  const std::string vendor = Lower(device.vendor), name = Lower(device.name);
  for (const Row& row : kRows) {
    if (vendor.find(row.vendor) != std::string::npos && name.find(row.device) != std::string::npos) return row.tiles;
  }
  DeviceTiles generic;
  generic.name = "generic";
  return generic;
}

int StagedColumns(const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile) {
  constexpr int kLeastColumns = 16;
  int columns = tile.lanes;
  while (columns > kLeastColumns && columns * ColumnBytes(sizes) * tile.split > device.local_bytes) columns /= 2;
  return columns;
}

bool FitsConvTile(const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile) {
  // Local memory holds the sums and, in the same place, a portion's staged columns, where columns are staged.
  const int64_t sum_bytes = 4 * kFilters * tile.pixels * tile.lanes;
  const int64_t staged_bytes = ColumnBytes(sizes) * StagedColumns(device, sizes, tile);
  return tile.pixels <= sizes.rows && int64_t{tile.lanes} * tile.split <= device.max_work_group &&
         (tile.split == 1 || (sizes.taps / tile.split >= kLeastPortion &&
                              std::max(sum_bytes, staged_bytes) * tile.split <= device.local_bytes));
}

std::vector<ConvTile> ConvTileCandidates(const DeviceInfo& device, const ConvSizes& sizes) {
  std::vector<ConvTile> candidates;
  for (const int lanes : {16, 32, 64}) {
    for (const int pixels : {1, 2, 4, 8}) {
      for (const int split : {1, 2, 4, 8, 16, 32}) {
        const ConvTile tile{lanes, pixels, split};
        if (FitsConvTile(device, sizes, tile)) candidates.push_back(tile);
      }
    }
  }
  return candidates;
}

double RelativeTime(const DeviceTiles& tiles, const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile) {
  const auto divided_up = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t items = sizes.images * divided_up(sizes.rows, tile.pixels) * sizes.columns;
  const int64_t groups = sizes.parts * divided_up(items, tile.lanes);
  const int64_t busiest = divided_up(groups, std::max(device.compute_units, 1)) * tile.lanes * tile.split;
  double item = static_cast<double>(sizes.taps) / tile.split * (tile.pixels + kReadTap);
  if (tile.split > 1) item += kAddSum * static_cast<double>(kFilters) * tile.pixels;
  return item * static_cast<double>(std::max(busiest, tiles.items_per_unit));
}

ConvTile ChooseConvTile(const DeviceTiles& tiles, const DeviceInfo& device, const ConvSizes& sizes) {
  ConvTile best{tiles.lanes, 1, 1};
  for (int pixels = tiles.max_pixels; pixels >= 1; pixels /= 2) {
    for (int split = 1; split <= tiles.max_split; split *= 2) {
      const ConvTile tile{tiles.lanes, pixels, split};
      if (!FitsConvTile(device, sizes, tile)) continue;
      if (RelativeTime(tiles, device, sizes, tile) < RelativeTime(tiles, device, sizes, best)) best = tile;
    }
  }
  return best;
}

}  // namespace mcpruner::opencl
