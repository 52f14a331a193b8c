#include "delegate/cpu/kernels/conv/conv_tiles.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace mcpruner {
namespace {

int Pieces(int count, int size) { return (count + size - 1) / size; }

// A Kind is a kind of vector: `width` columns of `rows` rows.
struct Kind {
  int lanes = 0;
  bool two_rows = false;
  double cost = 0;
  int width() const { return two_rows ? lanes / 2 : lanes; }
  double cost_per_row() const { return two_rows ? cost / 2 : cost; }
};

struct Panel {
  int x = 0, columns = 0;
  Kind kind;
};

std::vector<Kind> Kinds(const MicroKernels& micro_kernels, const ConvVectorCosts& costs, bool can_pair) {
  const int lanes = micro_kernels.vector_floats;
  std::vector<Kind> kinds{{lanes, false, 1.0}};
  if (lanes >= 4 && can_pair) kinds.push_back({lanes, true, costs.two_rows});
  if (lanes >= 16) kinds.push_back({lanes / 2, false, costs.narrow});
  if (lanes >= 16 && can_pair) kinds.push_back({lanes / 2, true, costs.narrow_two_rows});
  return kinds;
}

// Finds the panels that cover columns x .. x + columns - 1 (fewer than the widest vector has) at the least cost for one
// row.
double BestPanels(const std::vector<Kind>& kinds, int x, int columns, std::vector<Panel>* best) {
  best->clear();
  if (columns == 0) return 0;
  double best_cost = std::numeric_limits<double>::infinity();
  for (const Kind& kind : kinds) {
    const int covered = std::min(columns, kind.width());
    std::vector<Panel> rest;
    const double cost = kind.cost_per_row() + BestPanels(kinds, x + covered, columns - covered, &rest);
    if (cost >= best_cost) continue;
    best_cost = cost;
    *best = std::move(rest);
    best->insert(best->begin(), {x, covered, kind});
  }
  return best_cost;
}

// Takes whole vectors first, then panels for what is left. Neighbours of one kind become one panel.
std::vector<Panel> MakePanels(int width, const std::vector<Kind>& kinds) {
  const int whole = width / kinds[0].lanes * kinds[0].lanes;
  std::vector<Panel> rest, panels;
  BestPanels(kinds, whole, width - whole, &rest);
  if (whole > 0) panels.push_back({0, whole, kinds[0]});
  for (const Panel& panel : rest) {
    const Kind* const last = panels.empty() ? nullptr : &panels.back().kind;
    if (last != nullptr && last->lanes == panel.kind.lanes && last->two_rows == panel.kind.two_rows &&
        panels.back().columns % last->width() == 0) {
      panels.back().columns += panel.columns;
    } else {
      panels.push_back(panel);
    }
  }
  return panels;
}

void AddTiles(const ConvBand& band, const Panel& panel, int max_vectors, std::vector<ConvTile>* tiles) {
  const int rows = band.last_row - band.first_row;
  const int vectors = Pieces(panel.columns, panel.kind.width()) * (panel.kind.two_rows ? Pieces(rows, 2) : rows);
  const int count = Pieces(vectors, max_vectors);
  for (int i = 0; i < count; ++i) {
    const Range part = EvenShare(vectors, i, count);
    ConvTile tile{band, panel.x, panel.columns, panel.kind.lanes, panel.kind.two_rows, part.begin, 0, 0};
    tile.num_vectors = part.end - part.begin;
    tile.cost = tile.num_vectors * panel.kind.cost;
    tiles->push_back(tile);
  }
}

// Shares is a list of works that is being cut into shares of equal work.
class Shares {
 public:
  Shares(double all, int num_shares) : all_(all), shares_(static_cast<size_t>(num_shares)) {}

  void Add(int tile, int part, double work) {
    std::vector<TileParts>& share = shares_[share_];
    if (!share.empty() && share.back().tile == tile && share.back().last_part == part) {
      share.back().last_part = part + 1;
    } else {
      share.push_back({tile, part, part + 1});
    }
    done_ += work;
    const auto num_shares = static_cast<double>(shares_.size());
    while (share_ + 1 < shares_.size() && done_ * num_shares >= all_ * static_cast<double>(share_ + 1)) ++share_;
  }
  std::vector<std::vector<TileParts>> Finish() { return std::move(shares_); }

 private:
  const double all_;
  double done_ = 0;
  size_t share_ = 0;
  std::vector<std::vector<TileParts>> shares_;
};

}  // namespace

ConvVectorCosts VectorCostsOfThisCpu() {
  ConvVectorCosts costs;
#if defined(__x86_64__)
  // Zen 4 does 512 bits as twice 256, and vectors of two rows are bound by its loads. A vector that uses only a part of
  // a cache line waits for it as long as for a whole line.
  if (__builtin_cpu_is("amdfam19h") && __builtin_cpu_supports("avx512f")) costs = {1.3, 0.6, 0.8};
#elif defined(__aarch64__)
  costs.two_rows = 1.4;  // 7 instructions and a third for a tap of 4 filters instead of 5 (conv_sum_neon.h)
#endif
  return costs;
}

std::vector<ConvBand> MakeConvBands(const HcwLayout& out, Range rows, int max_rows) {
  std::vector<ConvBand> bands;
  ForEachImage(rows, out.h, [&](int image, Range in_image) {
    const int height = in_image.end - in_image.begin;
    const int count = max_rows > 0 ? Pieces(height, max_rows) : 1;
    for (int i = 0; i < count; ++i) {
      const int sweep = max_rows > 0 ? static_cast<int>(bands.size()) : 0;
      const Range part = EvenShare(height, i, count);
      bands.push_back({sweep, image, in_image.begin + part.begin, in_image.begin + part.end});
    }
  });
  return bands;
}

ConvTile::Pixels ConvTile::At(int vector) const {
  const int width = two_rows ? lanes / 2 : lanes, per_row = Pieces(columns, width);
  const int in_row = vector % per_row * width;
  Pixels pixels{band.first_row + vector / per_row * (two_rows ? 2 : 1), x + in_row, std::min(width, columns - in_row),
                true, two_rows};
  // The last row has no partner below: pair it with the row above, which is stored already.
  if (two_rows && pixels.y + 1 == band.last_row) {
    --pixels.y;
    pixels.store_first = false;
  }
  return pixels;
}

double ConvTile::RowOf(int vector) const {
  const int per_row = Pieces(columns, two_rows ? lanes / 2 : lanes);
  return band.first_row + static_cast<double>(vector) / per_row * (two_rows ? 2 : 1);
}

int MaxTileVectors(const MicroKernels& micro_kernels) {
  return micro_kernels.registers >= 32 ? int{kConvMaxTileVectors} : kConvMaxTileVectors / 2;
}

std::vector<ConvTile> MakeConvTiles(const std::vector<ConvBand>& bands, int width, const MicroKernels& micro_kernels,
                                    const ConvVectorCosts& costs) {
  std::vector<ConvTile> tiles;
  for (const ConvBand& band : bands) {
    const bool can_pair = band.last_row - band.first_row >= 2;
    const auto begin = static_cast<ptrdiff_t>(tiles.size());
    for (const Panel& panel : MakePanels(width, Kinds(micro_kernels, costs, can_pair))) {
      AddTiles(band, panel, MaxTileVectors(micro_kernels), &tiles);
    }
    std::stable_sort(tiles.begin() + begin, tiles.end(), [](const ConvTile& a, const ConvTile& b) {
      return a.At(a.first_vector).y < b.At(b.first_vector).y;
    });
  }
  return tiles;
}

std::vector<std::vector<TileParts>> ShareConvWork(const std::vector<ConvTile>& tiles, const std::vector<int64_t>& work,
                                                  int block, int num_shares) {
  const auto parts_work = static_cast<double>(std::accumulate(work.begin(), work.end(), int64_t{0}));
  double all = 0;
  for (const ConvTile& tile : tiles) all += parts_work * tile.cost;
  const int num_parts = static_cast<int>(work.size()), num_tiles = static_cast<int>(tiles.size());
  Shares shares(all, num_shares);
  for (int begin = 0, end = 0; begin < num_tiles; begin = end) {
    while (end < num_tiles &&
           tiles[static_cast<size_t>(end)].band.sweep == tiles[static_cast<size_t>(begin)].band.sweep)
      ++end;
    for (int first = 0; first < num_parts; first += block) {
      for (int t = begin; t < end; ++t) {
        for (int part = first; part < std::min(num_parts, first + block); ++part) {
          shares.Add(t, part,
                     static_cast<double>(work[static_cast<size_t>(part)]) * tiles[static_cast<size_t>(t)].cost);
        }
      }
    }
  }
  return shares.Finish();
}

}  // namespace mcpruner
