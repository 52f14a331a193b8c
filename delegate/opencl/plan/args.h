// Arguments that kernels take by value: the same text for C++ and for OpenCL C.
//
// Everything is counted in elements. An element of a tensor stands at
//
//     origin + image * n + channel * c + row * y + column * x        (Map)
//
// A stride of 0 repeats what lies along that dimension. `Extent` is the part of a tensor that a kernel walks.

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_ARGS_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_ARGS_H_

#ifdef __cplusplus
namespace mcpruner::opencl {
#endif

typedef struct {
  int origin, image, channel, row, column;
} Map;

typedef struct {
  int images, channels, rows, columns;
} Extent;

typedef struct {
  float low, high;  // minus and plus infinity for none
} Clamp;

// Sliding windows in a feature map whose borders hold the zeros that they read.
typedef struct {
  Map in, out, residual;  // `in.origin` is the first element of the first window
  Extent extent;          // of the output
  int row_step;           // elements from a window to the one below: stride_h rows
  int column_step;        // to the one beside it
  int has_residual;
  Clamp clamp;
} WindowArgs;

// Windows of depthwise convolutions.
typedef struct {
  int height, width;
  int row, column;  // from one position to the next: dilated
  int multiplier;
} DepthwiseArgs;

// Windows of pools, clipped to the feature map.
typedef struct {
  Map in, out;
  Extent extent;  // of the output
  int in_rows, in_columns;
  int height, width;
  int stride_h, stride_w;
  int top, left;
  Clamp clamp;
} PoolArgs;

// Up to 4 filters of one filter group: a whole group of 1, 2 or 4, a part of a group of 8 or 16.
typedef struct {
  int first_column;    // of the part's displacements
  int first_value;     // of its values, in taps
  int taps;            // a multiple of what a loop step takes, filled up with zero weights
  int out_channel[4];  // -1: there is no such filter
  float bias[4];
} Part;

#ifdef __cplusplus
}  // namespace mcpruner::opencl
#endif

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_ARGS_H_
