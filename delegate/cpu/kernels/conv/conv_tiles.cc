#include "delegate/cpu/kernels/conv/conv_tiles.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace mcpruner {
namespace {

// What a tap of a tile costs, in multiply-adds of one vector: 4 for each vector of the tile (one per filter), a load
// for each vector, every second one across two cache lines, and the 4 weights.
double TapCost(int rows, int vectors) { return 4.0 * rows * vectors + 0.75 * rows * vectors + 3.0; }

int Pieces(int count, int size) { return (count + size - 1) / size; }

struct TileSize {
  int rows = 1, vectors = 1;
};

// The size whose tiles cover rows x vectors at the least cost. Pieces are made equal, so sizes are upper bounds.
TileSize BestTileSize(int rows, int vectors, int max_vectors) {
  TileSize best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int v = 1; v <= std::min(vectors, max_vectors); ++v) {
    for (int r = 1; r <= std::min(rows, max_vectors / v); ++r) {
      const double in_x = Pieces(vectors, v), in_y = Pieces(rows, r);
      const double cost = in_x * in_y * TapCost(r, v);
      if (cost <= best_cost) {
        best = {r, v};
        best_cost = cost;
      }
    }
  }
  return best;
}

// Columns x .. x + columns - 1 of all rows, in vectors of `lanes`.
void CoverColumns(const HcwLayout& out, int x, int columns, int lanes, int max_vectors, std::vector<ConvTile>* tiles) {
  if (columns == 0) return;
  const int vectors = Pieces(columns, lanes);
  const TileSize size = BestTileSize(out.h, vectors, max_vectors);
  const int in_x = Pieces(vectors, size.vectors), in_y = Pieces(out.h, size.rows);
  for (int i = 0; i < out.n * in_y; ++i) {
    const int image = i / in_y, piece = i % in_y;
    const int y = out.h * piece / in_y, y_end = out.h * (piece + 1) / in_y;
    for (int j = 0; j < in_x; ++j) {
      const int v = vectors * j / in_x, v_end = vectors * (j + 1) / in_x;
      ConvTile tile{image, y, x + v * lanes, y_end - y, v_end - v, lanes, 0};
      tile.columns = std::min(tile.vectors * lanes, x + columns - tile.x);
      tiles->push_back(tile);
    }
  }
}

}  // namespace

int MaxTileVectors(const KernelTable& kernels) {
  return kernels.registers >= 32 ? int{kConvMaxTileVectors} : kConvMaxTileVectors / 2;
}

std::vector<ConvTile> MakeConvTiles(const HcwLayout& out, const KernelTable& kernels) {
  const int lanes = kernels.vector_floats, max_vectors = MaxTileVectors(kernels);
  int rest_lanes = lanes;  // the fewest that hold what is left of a row
  while (rest_lanes > 4 && rest_lanes / 2 >= out.w % lanes) rest_lanes /= 2;
  const int whole = rest_lanes == lanes ? out.w : out.w / lanes * lanes;
  std::vector<ConvTile> tiles;
  CoverColumns(out, 0, whole, lanes, max_vectors, &tiles);
  CoverColumns(out, whole, out.w - whole, rest_lanes, max_vectors, &tiles);
  std::stable_sort(tiles.begin(), tiles.end(), [](const ConvTile& a, const ConvTile& b) {
    return std::tie(a.image, a.y, a.x) < std::tie(b.image, b.y, b.x);
  });
  return tiles;
}

std::vector<std::vector<ConvWork>> ShareConvWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work,
                                                 int block, int num_shares) {
  const int64_t parts_work = std::accumulate(work.begin(), work.end(), int64_t{0});
  int64_t vectors = 0;
  for (const ConvTile& tile : tiles) vectors += int64_t{tile.rows} * tile.vectors;
  const int64_t all = parts_work * vectors;
  const int num_parts = static_cast<int>(work.size());
  std::vector<std::vector<ConvWork>> shares(static_cast<size_t>(num_shares));
  int64_t done = 0;
  int share = 0;
  for (int first = 0; first < num_parts; first += block) {
    const int last = std::min(num_parts, first + block);
    for (size_t t = 0; t < tiles.size(); ++t) {
      int begin = first;
      for (int part = first; part < last; ++part) {
        done += work[static_cast<size_t>(part)] * tiles[t].rows * tiles[t].vectors;
        const bool full = share + 1 < num_shares && done * num_shares >= all * (share + 1);
        if (part + 1 == last || full) {
          shares[static_cast<size_t>(share)].push_back({static_cast<int>(t), begin, part + 1});
          begin = part + 1;
        }
        while (share + 1 < num_shares && done * num_shares >= all * (share + 1)) ++share;
      }
    }
  }
  return shares;
}

}  // namespace mcpruner
