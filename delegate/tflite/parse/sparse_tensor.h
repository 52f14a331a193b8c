// ExpandSparse makes the dense elements of one of TFLite's sparse tensors, as DENSIFY does.
//
// TfLiteSparsity stores a tensor as a tree. Dimensions, of which some are cut into blocks, are its levels, in
// traversal_order; the leaves are the values, in order.
//
//     [2, 8], its columns cut into blocks of 4           traversal_order 0 1 2, block_map 1 (level 2 is in dimension 1)
//         . . . . a b c d                                level 0, dense: 2 rows
//         e f g h . . . .                                level 1, sparse: segments 0 1 2, indices 1 0 (of blocks)
//                                                        level 2, dense: 4 columns of a block;   values a b ... h
//
// A file may claim anything, so all of it is checked before the first value is written. What is read are the layouts
// that TFLite's own kernels read: levels of dimensions come before those of blocks, which are dense (TFLite divides by
// the size of a block, and a sparse level has none: it ends the process). The work is bounded by the bytes of the file:
// a large tensor of nearly nothing is refused, since nobody gains by it.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_TENSOR_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_TENSOR_H_

#include <vector>

#include "delegate/base/status.h"
#include "delegate/tflite/abi/tflite_abi.h"

namespace mcpruner {

// Returns the elements of a float32 or float16 constant that has `sparsity`, row by row. What is not stored is +0. The
// error is a clause, such as "level 1 has 3 segments for 4 nodes".
Result<std::vector<float>> ExpandSparse(const TfLiteTensor& tensor);

// Returns whether FULLY_CONNECTED reads the tensor as it is: float32 [rows, columns] whose rows are a dense level and
// whose columns a sparse one, of single elements or of blocks of four.
bool IsSparseMatrix(const TfLiteTensor& tensor);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_TENSOR_H_
