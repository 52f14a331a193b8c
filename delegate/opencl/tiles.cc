#include "delegate/opencl/tiles.h"

#include <algorithm>
#include <cctype>

namespace mcpruner::opencl {
namespace {

// Taps that are worth a work-item of their own: below, adding up shares costs more than it gains.
constexpr int64_t kLeastShare = 24;

// The first row whose `vendor` and `device` occur in what the device says, in lower case.
struct Row {
  const char* vendor;
  const char* device;
  DeviceTiles tiles;
};
constexpr Row kRows[] = {
    // Bifrost: warps of 4 threads, 384 threads a core. 4x4 sums and their operands fit its registers (docs/opencl.md).
    {"arm", "mali-g72", {"mali-g72", 16, 384, 4, 4, 8, 4}},
    {"arm", "mali", {"mali", 16, 384, 4, 4, 8, 4}},
    {"qualcomm", "", {"adreno", 64, 512, 4, 8, 8, 4}},
    // Measured on an H200 (docs/opencl.md): 24 warps a multiprocessor.
    {"nvidia", "", {"nvidia", 32, 760, 8, 16, 16, 8}},
    // A CPU: work-items of a group become vectors and loops; more groups than cores gain nothing.
    {"", "pthread", {"pocl", 64, 256, 4, 1, 16, 8}},
    {"", "cpu", {"pocl", 64, 256, 4, 1, 16, 8}},
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
  constexpr int64_t kSumBytes = 16;  // 4 filters
  const int64_t group = int64_t{tile.lanes} * tile.split;
  return tile.pixels <= work.rows && group <= device.max_work_group &&
         (tile.split == 1 ||
          (work.taps / tile.split >= kLeastShare && kSumBytes * tile.pixels * group <= device.local_bytes));
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
  const auto fits = [&](int pixels, int split) {
    return pixels <= tiles.max_pixels && split <= tiles.max_split &&
           FitsConvTile(device, work, {tiles.lanes, pixels, split});
  };
  ConvTile tile;
  tile.lanes = tiles.lanes;
  while (fits(tile.pixels * 2, 1) && items(tile.pixels * 2) >= wanted) tile.pixels *= 2;
  while (fits(tile.pixels, tile.split * 2) && items(tile.pixels) * tile.split < wanted) tile.split *= 2;
  if (tile.split == 1) return tile;
  while (fits(tile.pixels * 2, tile.split * 2)) tile.pixels *= 2, tile.split *= 2;
  return tile;
}

}  // namespace mcpruner::opencl
