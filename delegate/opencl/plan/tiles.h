// A tile says how a micro-kernel's work is cut. A table gives each device's limits and likings, and each layer's size
// decides within them.
//
// A compute unit wants enough work-items at once for some to wait for memory while others compute; with fewer it takes
// as long as with all of them. With more pixels, an item reads each weight for more products, but fewer items are left.
// So the taps of a part can be dealt out over several items, which then add up their sums.
//
//     many pixels          pixels 8, split 1    one item: 8 pixels x 4 filters, all taps
//     fewer                pixels 4, split 4    4 items:  4 pixels x 4 filters, a quarter of the taps each
//     few pixels or taps   pixels 2, split 8    8 items:  2 pixels x 4 filters, an eighth of the taps each

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_TILES_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_TILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "delegate/opencl/driver/device_info.h"

namespace mcpruner::opencl {

// DeviceTiles are what suits a device: one row of the table in tiles.cc.
struct DeviceTiles {
  const char* name = "";              // the row's name, for reports
  int lanes = 32;                     // work-items that lie along W
  int64_t items_per_unit = 256;       // how many each compute unit wants at once
  int max_pixels = 4, max_split = 8;  // powers of 2
  int launches_per_flush = 16;
  int staged = 0;         // 1: convolutions read weights and displacements through local memory
  int build_threads = 1;  // programs compiled at once; OpenCL allows any number, but some drivers (Oclgrind) crash
};

// Returns the row for a device, found by what its vendor and name contain, or the generic row for other devices.
DeviceTiles TilesFor(const DeviceInfo& device);

struct ConvTile {
  int lanes = 32, pixels = 1, split = 1;
  bool operator==(const ConvTile& o) const { return lanes == o.lanes && pixels == o.pixels && split == o.split; }
};

// ConvSizes are what tiles depend on.
struct ConvSizes {
  int64_t parts = 0;                          // of the layer
  int64_t images = 1, rows = 0, columns = 0;  // of the output
  int64_t taps = 0;                           // of the part that has most
  int column_rows = 1;                        // taps that share a displacement
};

// Returns how many columns of a portion are in local memory at once, where columns are staged: one for each lane, or as
// many as there is room for.
int StagedColumns(const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile);

// Returns whether the device takes a tile, and each portion of a part has work.
bool FitsConvTile(const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile);

// Returns all tiles that are worth a try.
std::vector<ConvTile> ConvTileCandidates(const DeviceInfo& device, const ConvSizes& sizes);

// Returns what the busiest compute unit has to do: its items, or as many as it wants if these are more, times the work
// of one.
double RelativeTime(const DeviceTiles& tiles, const DeviceInfo& device, const ConvSizes& sizes, const ConvTile& tile);

// Returns the tile that takes least by RelativeTime.
ConvTile ChooseConvTile(const DeviceTiles& tiles, const DeviceInfo& device, const ConvSizes& sizes);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_TILES_H_
