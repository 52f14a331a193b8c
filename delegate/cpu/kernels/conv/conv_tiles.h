// Cuts a convolution's output into tiles, and tiles x filters into equal shares.
//
//     56 columns, 16 lanes:  [ 3 vectors of 16 | 3 vectors ...][8]     tiles of 2 rows x 3 vectors, and beside them
//                            [                 |           ...][8]     tiles of 6 rows x 1 vector of 8 lanes
//
// Columns are cut into whole vectors first; what is left of a row gets vectors of fewer lanes where those suffice, with
// more rows instead. Shares are runs of the list "for each block of parts, for each tile, for each part of the block",
// cut where the work done so far is share / num_shares of all: a block's weights stay in L2 while all tiles pass, and a
// tile's input stays in L1 while all parts of the block pass.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_

#include <cstdint>
#include <vector>

#include "delegate/cpu/kernels/kernel_table.h"
#include "delegate/cpu/layout.h"

namespace mcpruner {

struct ConvTile {
  int image = 0, y = 0, x = 0;  // its first pixel
  int rows = 0, vectors = 0;    // rows * vectors <= MaxTileVectors
  int lanes = 0;                // of its vectors
  int columns = 0;              // of its pixels, 1 .. vectors * lanes
};

// Vectors of a tile that the registers have room for (conv_args.h).
int MaxTileVectors(const KernelTable& kernels);

// Tiles that cover the output once, in the order in which they lie in memory. None for an empty output.
std::vector<ConvTile> MakeConvTiles(const HcwLayout& out, const KernelTable& kernels);

// Parts first_part .. last_part - 1 of one tile.
struct ConvWork {
  int tile = 0;
  int first_part = 0, last_part = 0;
};

// The work of each share. `work[i]` is that of part i in one vector, `block` how many parts pass a tile together.
std::vector<std::vector<ConvWork>> ShareConvWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work,
                                                 int block, int num_shares);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TILES_H_
