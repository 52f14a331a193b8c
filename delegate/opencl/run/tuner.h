// Measures tiles of convolutions on the device at hand.
//
// Each candidate is compiled as a network of one convolution, compared with the first one on random numbers, and timed
// in a full queue.

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_TUNER_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_TUNER_H_

#include <string>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

struct TileTime {
  ConvTile tile;
  double microseconds = 0;  // of the device
};

// Of all candidates for the convolution `op` of `graph`, fastest first. Those that the device cannot run are left out.
// The error says which one is wrong, by how much.
Result<std::vector<TileTime>> TimeConvTiles(const Graph& graph, const Op& op, const DeviceTools& tools);

// "16 lanes, 2 pixels, split 1: 3.1 us, by the table 4.0 us": what `times`, of one convolution, gain over the tile that
// `table` is; that one may not have run.
std::string TunedText(const std::vector<TileTime>& times, const ConvTile& table);

// Measures the convolutions of `graph` that tools.tuned does not know, and keeps the fastest tile of each there. Says
// what was gained (tools.log).
Status TuneGraph(const Graph& graph, const DeviceTools& tools);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_TUNER_H_
