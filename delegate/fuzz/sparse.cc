// This target tests the reader of sparse tensors: any bytes are one, of the weights of a convolution. What is read has
// the values that the tree names and zeros, and the delegate packs the layer or leaves it with a reason.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cost/read_table.h"
#include "delegate/fuzz/fuzz.h"
#include "delegate/fuzz/load.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/parse/sparse_tensor.h"
#include "delegate/tflite/testing/fake_model.h"
#include "delegate/tflite/testing/sparse_parts.h"

namespace mcpruner {
namespace {

int Size(Decisions* decide) {
  constexpr int kSizes[] = {1, 2, 3, 4, 6, 8, 0, -1, 1 << 30};
  return kSizes[decide->Seldom(9, decide->Below(6))];
}

// The tree that a walk over the parts makes: each level has the right numbers unless the bytes say otherwise.
struct Tree {
  Dims dims, order, blocks;
  SparseParts* parts;
  size_t values = 1;
};

// Returns segments that are right for so many nodes, and indices below `size`, or what the bytes make of them.
std::pair<Dims, Dims> TakeIndices(size_t nodes, int size, Decisions* decide) {
  Dims segments = {0}, indices;
  for (size_t node = 0; node < nodes && indices.size() < 256; ++node) {
    for (int i = 0; i < std::clamp(size, 0, 16); ++i) {
      if (decide->Below(3) == 0) indices.push_back(decide->Seldom(20, i) - decide->Seldom(2, 0));
    }
    segments.push_back(static_cast<int>(indices.size()) + decide->Seldom(3, 1) - 1);
  }
  if (decide->Below(16) == 15) segments.resize(segments.size() / 2);
  if (!indices.empty()) segments.back() = decide->Seldom(9, static_cast<int>(indices.size()));
  return {segments, indices};
}

// Adds a level of `size` children for each of tree->values nodes.
void TakeLevel(int size, bool is_block, Decisions* decide, Tree* tree) {
  if (decide->Below(is_block ? 16 : 2) != (is_block ? 15 : 1)) {
    tree->parts->Dense(decide->Seldom(9, size));
    tree->values = std::min<size_t>(tree->values * static_cast<size_t>(std::max(size, 0)), 1 << 12);
  } else {
    const auto [segments, indices] = TakeIndices(tree->values, size, decide);
    tree->parts->Sparse(segments, indices);
    tree->values = indices.size();
  }
}

// The layout comes first, the levels second: SparseParts are made of the former.
void TakeOrder(Decisions* decide, Tree* tree) {
  const int rank = decide->Seldom(10, 4);
  for (int i = 0; i < rank; ++i) {
    tree->dims.push_back(Size(decide));
    tree->order.push_back(i);
  }
  for (int i = 0; i < rank; ++i) {
    if (decide->Below(4) == 3) tree->blocks.push_back(decide->Seldom(9, i));
  }
  for (size_t i = 0; i < tree->blocks.size(); ++i) tree->order.push_back(rank + static_cast<int>(i));
  if (rank > 1 && decide->Below(2) == 1) std::swap(tree->order[0], tree->order[static_cast<size_t>(rank) - 1]);
  if (!tree->order.empty() && decide->Below(8) == 7) tree->order.back() = decide->Below(12) - 1;
}

void CheckDense(const std::vector<float>& dense, const TfLiteTensor& tensor) {
  const auto* const values = static_cast<const float*>(tensor.data);
  const std::vector<float> stored(values, values + tensor.bytes / sizeof(float));
  for (const float element : dense) {
    const bool known = element == 0 || std::find(stored.begin(), stored.end(), element) != stored.end();
    Check(known, "an element is a value of the file or zero");
  }
  const auto nonzeros = std::count_if(dense.begin(), dense.end(), [](float x) { return x != 0; });
  Check(static_cast<size_t>(nonzeros) <= stored.size(), "there are no more elements than values");
}

// Loads the weights as those of a CONV_2D behind DENSIFY, and of a FULLY_CONNECTED that reads them as they are.
void Load(FakeModel* model, int sparse, const Dims& dims, bool matrix) {
  static TfLiteConvParams conv = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  static TfLiteFullyConnectedParams dense_layer = {};
  const Dims image = {1, 3, 3, dims.empty() ? 1 : std::clamp(dims.back(), 1, 64)};
  const int x = model->Input("x", matrix ? Dims{1, image[3]} : image), y = model->Tensor("y", {1, 3, 3, 1});
  int weights = sparse;
  if (!matrix) {
    weights = model->Tensor("w", {1, 1, 1, 1});
    model->Node(kTfLiteBuiltinDensify, {sparse}, {weights});
  }
  model->Node(matrix ? kTfLiteBuiltinFullyConnected : kTfLiteBuiltinConv2d, {x, weights, -1}, {y},
              matrix ? static_cast<void*>(&dense_layer) : &conv);
  model->Output(y);
  static const cost::CostTable table = *cost::ShippedCostTable("avx512");
  LayerCache cache;
  ModelView view;
  LoadNodes(matrix ? 1 : 2, table, model, &cache, &view);
}

void LoadBytes(Decisions decide) {
  Tree tree;
  TakeOrder(&decide, &tree);
  SparseParts parts(tree.order, tree.blocks);
  tree.parts = &parts;
  const size_t rank = tree.dims.size();
  std::vector<int> block_of(rank, 1);
  for (const int dim : tree.blocks) {
    if (dim >= 0 && static_cast<size_t>(dim) < rank && tree.dims[static_cast<size_t>(dim)] % 2 == 0) {
      block_of[static_cast<size_t>(dim)] = 2;
    }
  }
  for (const int number : tree.order) {
    const auto dim = static_cast<size_t>(number);
    const bool is_block = number < 0 || dim >= rank;
    TakeLevel(is_block ? 2 : tree.dims[dim] / block_of[dim], is_block, &decide, &tree);
  }
  std::vector<float> values(tree.values + static_cast<size_t>(decide.Seldom(3, 0)));
  std::iota(values.begin(), values.end(), 1.0f);
  if (decide.Below(16) == 15 && !values.empty()) values[0] = NAN;
  FakeModel model;
  const int sparse = model.Constant("sparse", {1}, values);
  const IntArrayPtr dims = MakeIntArray(tree.dims);
  model.At(sparse).dims = dims.get();
  model.At(sparse).sparsity = parts.get();
  const Result<std::vector<float>> dense = ExpandSparse(model.At(sparse));
  Check(dense.ok() || dense.message().find('\n') == std::string::npos, "an error is one line");
  if (dense.ok() && (values.empty() || !std::isnan(values[0]))) CheckDense(*dense, model.At(sparse));
  Load(&model, sparse, tree.dims, decide.Below(2) == 1);
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::LoadBytes({data, size});
  return 0;
}
