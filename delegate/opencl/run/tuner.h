// The tuner measures tiles of convolutions on the device at hand.
//
// It compiles each candidate as a network of one convolution, compares it with the first one on random numbers, and
// times it in a full queue.

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

// Times all candidates for the convolution `op` of `graph`, and returns them with the fastest first. Candidates that
// the device cannot run are left out. The error says which one is wrong, and by how much.
Result<std::vector<TileTime>> TimeConvTiles(const Graph& graph, const Op& op, const DeviceTools& tools);

// Returns a text such as "16 lanes, 2 pixels, split 1: 3.1 us, by the table 4.0 us", which says what the fastest of
// `times`, all of one convolution, gains over the tile `table`. That tile may not have run.
std::string TunedText(const std::vector<TileTime>& times, const ConvTile& table);

// Measures the convolutions of `graph` that tools.tuned does not know, and keeps the fastest tile of each there. It
// says what was gained (tools.log).
Status TuneGraph(const Graph& graph, const DeviceTools& tools);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_TUNER_H_
