// NonzeroBits say which weights of a layer are not zero, in one bit each: what packing, grouping and counting go by.
//
//     weights (OHWI)   filter 0, position 0:  0.5 0 0 -2      row   1001
//                      filter 0, position 1:  0 0 -0.0 1            0001
//
// Weights are read once, bits many times: those of VGG-16 (138 million weights, 550 MB) take 17 MB. A row is one
// position of one filter; it begins in a new word, and bits beyond the last input channel are 0.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZERO_BITS_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZERO_BITS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

class NonzeroBits {
 public:
  // Reads weights, which are OHWI. -0.0 counts as zero, the smallest subnormal number does not, whatever the floating
  // point unit does with such. The error is that of a shape that the format does not hold (CheckDense), or of weights
  // that are not finite.
  static Result<NonzeroBits> Of(const DenseShape& shape, Span<const float> weights);

  const DenseShape& shape() const { return shape_; }
  size_t positions() const { return positions_; }
  size_t words() const { return words_; }  // of a row
  // Returns the rows of a filter: positions() * words() words.
  Span<const uint64_t> Rows(size_t filter) const {
    return Span<const uint64_t>(bits_).subspan(filter * positions_ * words_, positions_ * words_);
  }
  // Counts the weights that are not zero.
  int64_t Count() const;

 private:
  NonzeroBits() = default;

  DenseShape shape_;
  size_t positions_ = 0, words_ = 0;
  std::vector<uint64_t> bits_;
};

// Makes `rows` those that any of the filters has: what a filter group stores.
void UniteRows(const NonzeroBits& bits, Span<const uint16_t> filters, std::vector<uint64_t>* rows);

// Calls body(index) for each bit that is set, in order.
template <typename Body>
void ForEachBit(Span<const uint64_t> words, const Body& body) {
  for (size_t i = 0; i < words.size(); ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) {
      body(i * 64 + static_cast<size_t>(__builtin_ctzll(word)));
    }
  }
}

// Makes `patterns` the kernels of a filter group with these rows: for each input channel its positions, as a layer's
// patterns have them. 0 where it has no kernel.
void PatternsOf(const NonzeroBits& bits, Span<const uint64_t> rows, std::vector<uint64_t>* patterns);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZERO_BITS_H_
