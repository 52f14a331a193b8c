// Kernels take these arguments by value. The same text is compiled as C++ and as OpenCL C.
//
// Everything is counted in elements. An element of a tensor stands at
//
//     origin + image * n + channel * c + row * y + column * x        (Map)
//
// A stride of 0 repeats what lies along that dimension. `Extent` is the part of a tensor that a micro-kernel walks.

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

// WindowArgs describe sliding windows in a feature map whose borders hold the zeros that they read.
typedef struct {
  Map in, out, residual;  // `in.origin` is the first element of the first window
  Extent extent;          // of the output
  int row_step;           // elements from a window to the one below it: stride_h rows
  int column_step;        // elements from a window to the one beside it
  int has_residual;
  Clamp clamp;
} WindowArgs;

// DepthwiseArgs describe the windows of depthwise convolutions.
typedef struct {
  int height, width;
  int row, column;  // elements from one position to the next, dilation included
  int multiplier;
} DepthwiseArgs;

// PoolArgs describe the windows of pools, which are clipped to the feature map.
typedef struct {
  Map in, out;
  Extent extent;  // of the output
  int in_rows, in_columns;
  int height, width;
  int stride_h, stride_w;
  int top, left;
  Clamp clamp;
} PoolArgs;

// A Part is up to 4 filters of one filter group: a whole group of 1, 2 or 4, or a piece of a group of 8 or 16.
typedef struct {
  int first_column;    // where the part's displacements begin
  int first_value;     // where its values begin, counted in taps
  int taps;            // how many, filled up with zero weights to a multiple of what a loop step takes
  int out_channel[4];  // -1: there is no such filter
  float bias[4];
} Part;

#ifdef __cplusplus
}  // namespace mcpruner::opencl
#endif

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_ARGS_H_
