// SparseParts are the parts of a TfLiteSparsity, right or wrong, and who frees them.
//
//     SparseParts parts({0, 1, 2}, {1});                          traversal order, block map
//     parts.Dense(2).Sparse({0, 1, 2}, {1, 0}).Dense(4);          the levels
//     tensor.sparsity = parts.get();                              valid until the parts change or go

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_SPARSE_PARTS_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_SPARSE_PARTS_H_

#include <utility>
#include <vector>

#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/abi/tflite_abi.h"

namespace mcpruner {

class SparseParts {
 public:
  SparseParts(const std::vector<int>& traversal_order, const std::vector<int>& block_map) {
    sparsity_.traversal_order = Keep(traversal_order);
    sparsity_.block_map = Keep(block_map);
  }
  SparseParts& Dense(int size) { return Level({kTfLiteDimDense, size, nullptr, nullptr}); }
  SparseParts& Sparse(const std::vector<int>& segments, const std::vector<int>& indices) {
    return Level({kTfLiteDimSparseCsr, 0, Keep(segments), Keep(indices)});
  }
  SparseParts& Level(const TfLiteDimensionMetadata& level) {
    levels_.push_back(level);
    return *this;
  }

  TfLiteSparsity* get() {
    sparsity_.dim_metadata = levels_.data();
    sparsity_.dim_metadata_size = static_cast<int>(levels_.size());
    return &sparsity_;
  }

 private:
  TfLiteIntArray* Keep(const std::vector<int>& values) {
    arrays_.push_back(MakeIntArray(values));
    return arrays_.back().get();
  }

  std::vector<IntArrayPtr> arrays_;
  std::vector<TfLiteDimensionMetadata> levels_;
  TfLiteSparsity sparsity_ = {};
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_SPARSE_PARTS_H_
