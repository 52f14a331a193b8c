#include "delegate/opencl/tiles.h"

#include <algorithm>
#include <cctype>

namespace mcpruner::opencl {
namespace {

// Taps that are worth a work-item of their own: below, adding up shares costs more than it gains.
constexpr int64_t kLeastShare = 24;
// Items of many pixels leave many sums for each share to add up: 8 shares of 8 pixels lost to 4 of 4 on an H200.
constexpr int kManyPixels = 8, kMostShares = 4;

// The first row whose `vendor` and `device` occur in what the device says, in lower case.
struct Row {
  const char* vendor;
  const char* device;
  DeviceTiles tiles;
};
constexpr Row kRows[] = {
    // Bifrost: warps of 4 threads, 384 threads a core. 4x4 sums and their operands fit its registers (docs/opencl.md).
    {"arm", "mali-g72", {"mali-g72", 16, 384, 4, 4, 8, 0, 4}},
    {"arm", "mali", {"mali", 16, 384, 4, 4, 8, 0, 4}},
    {"qualcomm", "", {"adreno", 64, 512, 4, 8, 8, 0, 4}},
    // Measured on an H200 (docs/opencl.md): 24 warps a multiprocessor.
    {"nvidia", "", {"nvidia", 32, 760, 8, 16, 16, 1, 8}},
    // A CPU: work-items of a group become vectors and loops; more groups than cores gain nothing.
    {"", "pthread", {"pocl", 64, 256, 4, 1, 16, 0, 8}},
    {"", "cpu", {"pocl", 64, 256, 4, 1, 16, 0, 8}},
};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

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

bool FitsConvTile(const DeviceInfo& device, const ConvWork& work, const ConvTile& tile) {
  constexpr int64_t kSumBytes = 16;     // of a pixel: 4 filters
  constexpr int64_t kStagedBytes = 52;  // a column of 3 taps, in the same memory, where columns are staged
  const int64_t group = int64_t{tile.lanes} * tile.split;
  const int64_t local_bytes = std::max(kSumBytes * tile.pixels, kStagedBytes) * group;
  return tile.pixels <= work.rows && group <= device.max_work_group &&
         (tile.split == 1 || (work.taps / tile.split >= kLeastShare && local_bytes <= device.local_bytes));
}

std::vector<ConvTile> ConvTileCandidates(const DeviceInfo& device, const ConvWork& work) {
  std::vector<ConvTile> candidates;
  for (const int lanes : {16, 32, 64}) {
    for (const int pixels : {1, 2, 4, 8}) {
      for (const int split : {1, 2, 4, 8, 16}) {
        const ConvTile tile{lanes, pixels, split};
        if (FitsConvTile(device, work, tile)) candidates.push_back(tile);
      }
    }
  }
  return candidates;
}

ConvTile ChooseConvTile(const DeviceTiles& tiles, const DeviceInfo& device, const ConvWork& work) {
  const int64_t wanted = tiles.items_per_unit * std::max(device.compute_units, 1);
  const auto items = [&](int pixels) {
    return work.parts * work.images * ((work.rows + pixels - 1) / pixels) * work.columns;
  };
  // As many pixels as leave enough items when the taps are shared out; where none does, one pixel and all shares.
  ConvTile tile;
  for (int pixels = tiles.max_pixels; pixels >= 1; pixels /= 2) {
    tile = {tiles.lanes, pixels, 1};
    if (!FitsConvTile(device, work, tile)) continue;
    const int max_split = pixels >= kManyPixels ? std::min(tiles.max_split, kMostShares) : tiles.max_split;
    while (items(pixels) * tile.split < wanted && tile.split < max_split &&
           FitsConvTile(device, work, {tile.lanes, pixels, tile.split * 2})) {
      tile.split *= 2;
    }
    if (items(pixels) * tile.split >= wanted) break;
  }
  return tile;
}

}  // namespace mcpruner::opencl
