// TunedTiles are tiles that were measured on this device. They go before what the table in tiles.cc says.
//
// They are kept in the folder of option cache_dir, by device, driver, precision and what matters of a convolution.

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_TUNED_TILES_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_TUNED_TILES_H_

#include <optional>
#include <string>

#include "delegate/graph/graph.h"
#include "delegate/opencl/driver/disk_cache.h"
#include "delegate/opencl/plan/precision.h"
#include "delegate/opencl/plan/tiles.h"

namespace mcpruner::opencl {

// Returns the sizes of a convolution. `out` is the shape of the convolution's output.
ConvSizes ConvSizesOf(const SparseLayer& layer, const Shape& out);

class TunedTiles {
 public:
  // If `cache` has no folder, nothing is known and nothing is kept.
  TunedTiles(DiskCache cache, const DeviceInfo& device, Precision precision);

  bool enabled() const { return cache_.enabled(); }
  // Returns no tile where none was measured, or where the one that was does not fit the device.
  std::optional<ConvTile> Load(const ConvParams& conv, const Shape& out) const;
  void Store(const ConvParams& conv, const Shape& out, const ConvTile& tile) const;

 private:
  std::string Key(const ConvParams& conv, const Shape& out) const;

  const DiskCache cache_;
  const DeviceInfo device_;
  const Precision precision_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_TUNED_TILES_H_
