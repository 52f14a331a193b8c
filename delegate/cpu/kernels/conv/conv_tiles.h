// This cuts a convolution's output into tiles, and tiles x filters into equal shares.
//
//     28 columns, 16 lanes:   [ 16 | 12   ]     A panel of whole vectors, two to a row. A tile is up to 6 consecutive
//                             [ 16 | 12   ]     vectors of a panel, wherever rows end, so rows and tiles need not fit
//                             [ 16 | 12   ]     each other.
//     56 columns:             [ 16 | 16 | 16 ][ 8 ]     In the second panel a vector is of two rows: 8 columns of each.
//                             [ 16 | 16 | 16 ][ 8 ]
//
// A panel is a range of columns over all rows of a band, with vectors of one kind; columns are cut into panels at the
// least cost (ConvVectorCosts). A part is up to 4 filters (conv_args.h), and a block is as many parts as are done for a
// tile together. A sweep is one walk over all weights. The whole work is the list "for each sweep, for each block of
// parts, for each tile, for each part of the block"; a share is a piece of it, cut where the work done so far is
// share / num_shares of all. This way a block's weights stay in L2 for all tiles, and a tile's input stays in L1 for
// all parts of the block.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_

#include <cstdint>
#include <vector>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/step/layout.h"
#include "delegate/cpu/step/step.h"

namespace mcpruner {

// These are the costs of a multiply-add by each kind of vector, relative to the widest whole vector. The defaults are
// estimates that were not measured; VectorCostsOfThisCpu replaces them where more is known of the CPU.
struct ConvVectorCosts {
  double two_rows = 1.1;  // these take twice as many loads, and must be joined
  double narrow = 1.0;    // half as many lanes; 0.5 where the CPU does the widest vectors as two of these
  double narrow_two_rows = 1.1;
};
ConvVectorCosts VectorCostsOfThisCpu();

// A band is rows first_row .. last_row - 1 of one image. Bands of one sweep share one walk over the weights.
struct ConvBand {
  int sweep = 0;
  int image = 0, first_row = 0, last_row = 0;
};

// Cuts `rows`, which are counted through all images, into bands. With `max_rows` 0, each image is a band of the same
// sweep; otherwise a band has at most `max_rows` rows and is a sweep of its own.
std::vector<ConvBand> MakeConvBands(const HcwLayout& out, Range rows, int max_rows);

// A tile is consecutive vectors of a panel.
struct ConvTile {
  ConvBand band;
  int x = 0, columns = 0;  // of the panel
  int lanes = 0;
  bool two_rows = false;
  int first_vector = 0, num_vectors = 0;
  double cost = 0;  // of a multiply-add by all of its vectors

  // These are the pixels of one vector. A vector of two rows also has those below them. A row that two vectors of a
  // panel contain is stored by one of them only.
  struct Pixels {
    int y = 0, x = 0, count = 0;
    bool store_first = true, store_second = false;
  };
  Pixels At(int vector) const;
  // Returns the row in which a vector begins, as a fraction: the share of the row that lies before the vector is added.
  double RowOf(int vector) const;
};

// Returns how many vectors of a tile the registers have room for (conv_args.h).
int MaxTileVectors(const MicroKernels& micro_kernels);

// Makes tiles that cover each band once, band by band, in the order in which they lie in memory.
std::vector<ConvTile> MakeConvTiles(const std::vector<ConvBand>& bands, int width, const MicroKernels& micro_kernels,
                                    const ConvVectorCosts& costs);

// TileParts is parts first_part .. last_part - 1 of one tile.
struct TileParts {
  int tile = 0;
  int first_part = 0, last_part = 0;
};

// Returns the work of each share. work[i] is that of part i for one vector; `block` parts are done for a tile together.
std::vector<std::vector<TileParts>> ShareConvWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work,
                                                  int block, int num_shares);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
