// PackLayer makes a SparseLayer of dense weights: what converter/format/pack.py does in Python.
//
//     filters   0  1  2  3  4     permutation  0 2 1 4 3        groups of 2   0 2 | 1 4 | 3 -
//     kernel of a group: at each position where one of its filters is not zero, the weights of all of its filters
//
// For the same weights, permutation and group size the layer is the one that ReadSparseLayer makes of the converter's
// blob, bit for bit (tests/e2e/test_packer.py): kernels are ordered by pattern, then by channel; a zero beside another
// filter's weight is stored, with its sign; all other zeros are left out.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACK_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACK_LAYER_H_

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Packs the weights of which `bits` were made; `bias` has a number for each filter, or none. Any grouping is safe to
// pass. Of a grouped convolution these are the weights of a filter's own channels: InGroups makes its layer of the
// result, which is the converter's where no filter group reaches over two groups of the convolution. The error says
// which bound of the format does not hold.
Result<SparseLayer> PackLayer(LayerKind kind, const NonzeroBits& bits, Span<const float> weights,
                              Span<const float> bias, const Grouping& grouping);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACK_LAYER_H_
