// Cuts a convolution's output into tiles, and tiles x filters into equal shares.
//
//     28 columns, 16 lanes:   [ 16 | 12   ]     a strip of whole vectors, two to a row; its tiles are any 6 of them in
//                             [ 16 | 12   ]     a row, so rows and tiles need not fit each other
//                             [ 16 | 12   ]
//     56 columns:             [ 16 | 16 | 16 ][ 8 ]     and a strip of halves: a vector is 8 columns of two rows
//                             [ 16 | 16 | 16 ][ 8 ]
//
// Columns are cut into strips at the least cost (ConvVectorCosts). Shares are runs of the list "for each pass,
// for each block of parts, for each tile, for each part of the block", cut where the work done so far is
// share / num_shares of all: a block's weights stay in L2 while all tiles pass, and a tile's input stays in L1 while
// all parts of the block pass.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_

#include <cstdint>
#include <vector>

#include "delegate/cpu/kernels/kernel_table.h"
#include "delegate/cpu/step/layout.h"
#include "delegate/cpu/step/step.h"

namespace mcpruner {

// What a multiply-add of each kind of vector costs, in those of the widest whole vector.
struct ConvVectorCosts {
  double halves = 1.1;  // loads and joins twice as many
  double narrow = 1.0;  // half as many lanes; 0.5 where the CPU does the widest vectors in two passes
  double narrow_halves = 1.1;
};
ConvVectorCosts VectorCostsOfThisCpu();

// Rows first_row .. last_row - 1 of one image. Bands of the same pass share one walk over the weights.
struct ConvBand {
  int pass = 0;
  int image = 0, first_row = 0, last_row = 0;
};

// Rows of all images, counted through: each image a band of the same pass, or, where `max_rows` is above 0, bands of at
// most so many rows, each a pass of its own.
std::vector<ConvBand> MakeConvBands(const HcwLayout& out, Range rows, int max_rows);

// Consecutive vectors of a strip.
struct ConvTile {
  ConvBand band;
  int x = 0, columns = 0;  // of the strip
  int lanes = 0;
  bool halves = false;
  int first_vector = 0, num_vectors = 0;
  double cost = 0;  // of a multiply-add, over all its vectors

  // Pixels of one vector. For halves, also those below; all of a strip's rows are stored once.
  struct Pixels {
    int y = 0, x = 0, count = 0;
    bool store_first = true, store_second = false;
  };
  Pixels At(int vector) const;
  // The row in which a vector begins, with the share of it that lies before.
  double RowOf(int vector) const;
};

// Vectors of a tile that the registers have room for (conv_args.h).
int MaxTileVectors(const KernelTable& kernels);

// Tiles that cover the bands once, band by band, in the order in which they lie in memory.
std::vector<ConvTile> MakeConvTiles(const std::vector<ConvBand>& bands, int width, const KernelTable& kernels,
                                    const ConvVectorCosts& costs);

// Parts first_part .. last_part - 1 of one tile.
struct ConvWork {
  int tile = 0;
  int first_part = 0, last_part = 0;
};

// The work of each share. `work[i]` is that of part i for one vector, `block` how many parts pass a tile together.
std::vector<std::vector<ConvWork>> ShareConvWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work,
                                                 int block, int num_shares);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
