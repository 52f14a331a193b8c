// This is Winograd's minimal filtering along rows: a convolution of full patterns with fewer products, for the dense
// layers that a pruned network keeps (its first layer, above all).
//
// Along a column, m output rows of a filter of r rows need m * r products, but m + r - 1 suffice:
//
//     y = A [ (G g) * (B d) ]        d: m + r - 1 input rows    g: r filter rows    y: m output rows
//
// (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms for Convolutional Neural
// Networks, CVPR 2016.) Here only rows are transformed, so that the columns of the kernel, the vectors of pixels and
// strides in width stay as they are, and rounding errors hardly grow. Strides in height are taken apart by phase, each
// of which is a filter of stride 1:
//
//     kernel rows  0 1 2 3 4 5 6, stride 2     phase 0: rows 0 2 4 6 of the kernel on even input rows, 7 products
//                                              phase 1: rows 1 3 5 on odd input rows, 6 products
//
// The products of one tile of m output rows are the rows of an ordinary convolution whose kernel is one row high, with
// `products` times the channels. Its input channel (i, c) is row i of B d of channel c. Its filter (i, f) is row i of G
// g of filter f and reads the channels (i, .) only, so its layer is sparse.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_ROW_WINOGRAD_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_ROW_WINOGRAD_H_

#include <vector>

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// This is m. A larger m saves more products but costs accuracy; other values than 4 were not measured.
constexpr int kWinogradTileRows = 4;

struct RowWinograd {
  struct Matrix {
    int rows = 0, columns = 0;
    std::vector<double> elements;  // row by row
    double at(int row, int column) const { return elements[static_cast<size_t>(row * columns + column)]; }
    double& at(int row, int column) { return elements[static_cast<size_t>(row * columns + column)]; }
  };

  int products = 0;    // of a tile, over all phases
  int input_rows = 0;  // that a tile reads, from its first window's first row on
  Matrix input;        // B: products x input_rows
  Matrix filter;       // G: products x kernel_height
  Matrix output;       // A: kWinogradTileRows x products
};

// Returns whether there are transforms: they exist for phases of 2 to 4 rows.
bool HasRowWinograd(int kernel_height, int stride);
RowWinograd MakeRowWinograd(int kernel_height, int stride);

// Makes the sparse layer of the products, without bias, in groups of 4 filters. Its in_channels and out_channels are
// `products` times those of `dense`, which must have only full patterns and a multiple of 4 filters.
SparseLayer MakeProductLayer(const SparseLayer& dense, const RowWinograd& winograd);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_ROW_WINOGRAD_H_
