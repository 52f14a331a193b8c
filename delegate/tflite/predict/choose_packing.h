// ChoosePacking says how a layer with zeros is packed best: converter/cost/estimate.py in C++.
//
// A larger filter group shares loads between filters but stores more zeros, so each group size is tried: what it would
// store is counted, and the cost table says how long that takes. A size is left out where even a grouping without any
// stored zero would be slower than the best one found so far.
//
// Whatever the table says, a layer that keeps more than kMostDensity of its weights (format/costs.inc) is not packed.
//
// For the same groupings both sides choose the same (tests/e2e/test_packer.py). The converter's groupings are not the
// plugin's where masks agree in nothing: docs/masks.md has both.

#ifndef MCPRUNER_DELEGATE_TFLITE_PREDICT_CHOOSE_PACKING_H_
#define MCPRUNER_DELEGATE_TFLITE_PREDICT_CHOOSE_PACKING_H_

#include <cstdint>

#include "delegate/cost/amounts.h"
#include "delegate/cost/cost_table.h"
#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/nonzero_bits.h"

namespace mcpruner {

struct Packing {
  Grouping grouping;  // in the file's order where the layer is not worth packing
  double speedup =
      0.0;  // dense time in TFLite over packed time here; at most 1: not worth packing, 0: cannot be packed
};

// Returns whether a layer that keeps so many of its weights runs as fast dense.
bool KeepsTooMuch(int64_t nonzeros, int64_t weights);

// `bits` are those of a filter's own channels. The filters must be a multiple of geometry.groups.
Packing ChoosePacking(const NonzeroBits& bits, const cost::Geometry& geometry, const cost::CostTable& table);

// Returns the speed-up of one grouping, such as a file's plan names it, or 0 where the format does not hold it.
// CheckGrouping must let it pass.
double PackedSpeedup(const NonzeroBits& bits, const Grouping& grouping, const cost::Geometry& geometry,
                     const cost::CostTable& table);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PREDICT_CHOOSE_PACKING_H_
