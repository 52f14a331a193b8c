#include "delegate/opencl/tiles.h"

#include <algorithm>
#include <cctype>

namespace mcpruner::opencl {
namespace {

// Taps that are worth a work-item of their own: below, adding up shares costs more than it gains.
constexpr int64_t kLeastShare = 16;

// The first row whose `vendor` and `device` occur in what the device says, in lower case.
struct Row {
  const char* vendor;
  const char* device;
  DeviceTiles tiles;
};
constexpr Row kRows[] = {
    // Bifrost: warps of 4 threads; 384 threads a core at 64 registers or fewer. 4x4 sums and their operands fit that.
    {"arm", "mali-g72", {"mali-g72", 16, 384, 4, 4, 8}},
    {"arm", "mali", {"mali", 16, 384, 4, 4, 8}},
    {"qualcomm", "", {"adreno", 64, 512, 4, 8, 8}},
    // 2048 threads a multiprocessor hide its memory; half of them leave registers for more pixels each.
    {"nvidia", "", {"nvidia", 32, 1024, 4, 16, 16}},
    // A CPU: work-items of a group become vectors and loops; more groups than cores gain nothing.
    {"", "pthread", {"pocl", 64, 256, 4, 1, 16}},
    {"", "cpu", {"pocl", 64, 256, 4, 1, 16}},
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

ConvTile ChooseConvTile(const DeviceTiles& tiles, const DeviceInfo& device, const ConvWork& work) {
  const int64_t wanted = tiles.items_per_unit * std::max(device.compute_units, 1);
  const auto items = [&](int pixels) {
    return work.parts * work.images * ((work.rows + pixels - 1) / pixels) * work.columns;
  };
  ConvTile tile;
  tile.lanes = tiles.lanes;
  while (tile.pixels * 2 <= tiles.max_pixels && tile.pixels * 2 <= work.rows && items(tile.pixels * 2) >= wanted) {
    tile.pixels *= 2;
  }
  const auto fits = [&](int split) {
    return split <= tiles.max_split && work.taps / split >= kLeastShare &&
           tile.lanes * split <= device.max_work_group &&
           int64_t{16} * split * tile.pixels * tile.lanes <= device.local_bytes / 2;
  };
  while (items(tile.pixels) * tile.split < wanted && fits(tile.split * 2)) tile.split *= 2;
  return tile;
}

}  // namespace mcpruner::opencl
