#include "delegate/opencl/plan/tuned_tiles.h"

#include <utility>
#include <vector>

#include "delegate/opencl/plan/packed_layer.h"

namespace mcpruner::opencl {

ConvSizes ConvSizesOf(const SparseLayer& layer, const Shape& out) {
  const int64_t parts = int64_t{layer.num_groups()} * (layer.group_size / PartFilters(layer));
  return {parts, out.n, out.h, out.w, MostTaps(layer), ColumnRows(layer)};
}

TunedTiles::TunedTiles(DiskCache cache, const DeviceInfo& device, Precision precision)
    : cache_(std::move(cache)), device_(device), precision_(precision) {}

std::string TunedTiles::Key(const ConvParams& conv, const Shape& out) const {
  const SparseLayer& layer = *conv.layer;
  const ConvSizes sizes = ConvSizesOf(layer, out);
  std::string key = "tile of\n" + DeviceKey(device_);
  for (const int64_t number :
       {static_cast<int64_t>(precision_), sizes.parts, sizes.images, sizes.rows, sizes.columns, sizes.taps,
        int64_t{PartFilters(layer)}, int64_t{layer.in_channels}, int64_t{layer.kernel_height},
        int64_t{layer.kernel_width}, int64_t{conv.window.stride_h}, int64_t{conv.window.stride_w}}) {
    key += std::to_string(number) + ' ';
  }
  return key;
}

std::optional<ConvTile> TunedTiles::Load(const ConvParams& conv, const Shape& out) const {
  if (!enabled()) return std::nullopt;
  const std::vector<uint8_t> value = cache_.Load(Key(conv, out));
  if (value.size() != 3) return std::nullopt;
  const ConvTile tile{value[0], value[1], value[2]};
  for (const ConvTile& candidate : ConvTileCandidates(device_, ConvSizesOf(*conv.layer, out))) {
    if (candidate == tile) return tile;
  }
  return std::nullopt;
}

void TunedTiles::Store(const ConvParams& conv, const Shape& out, const ConvTile& tile) const {
  const std::vector<uint8_t> value{static_cast<uint8_t>(tile.lanes), static_cast<uint8_t>(tile.pixels),
                                   static_cast<uint8_t>(tile.split)};
  cache_.Store(Key(conv, out), value);
}

}  // namespace mcpruner::opencl
