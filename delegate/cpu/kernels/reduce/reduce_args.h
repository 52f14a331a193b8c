// These are the arguments of what makes one element of many.
//
// A result is made of `terms` rows of one channel each, `term_stride` apart: the rows of an image, or its channels.
// Over columns it is one element; else there is one for each column. What is made has `lines` such results.
//
//     over channels               one line;  terms: the channels            y[x] = sum of in[term][x]
//     over rows and columns       a line for each channel;  terms: rows     y = sum of in[term][x], over x too

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"
#include "delegate/graph/reduce_function.h"

namespace mcpruner {

struct ReduceLinesArgs {
  const float* in;  // pixel 0 of the first term of the first line
  float* out;       // the first line's result
  ptrdiff_t in_line_stride, out_line_stride, term_stride;
  int32_t lines, terms, width;
  int32_t over_columns;  // 0 or 1
  ReduceFunction function;
  RowEnd end;  // without an activation
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_ARGS_H_
