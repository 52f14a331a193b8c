// Arguments of the convolution kernels: plain pointers and strides, counted in floats unless they say bytes.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_

#include <stddef.h>
#include <stdint.h>

namespace mcpruner {

// A tile is at most this many vectors, so that its sums for 4 filters, its inputs and a weight fit 32 registers
// (24 + 6 + 1); with 16 registers, half as many (12 + 3 + 1).
enum { kConvMaxTileVectors = 6 };
// Filters summed at once. Larger groups are done in parts that share kernels but not values.
enum { kConvMaxFilters = 4 };

// Up to so many taps beyond a part's last one may be read.
enum { kConvPrefetchedTaps = 8 };

// Up to 4 filters of one filter group: the whole of a group of 1, 2 or 4, a part of a group of 8 or 16.
struct ConvPart {
  const int32_t* taps;  // of all kernels: displacement of each from a window's first element, in bytes
  const float* values;  // of each tap in turn, ConvLayerArgs::filters each
  int32_t num_taps;
  int32_t num_filters;                    // that exist, 1 .. ConvLayerArgs::filters
  int32_t out_channels[kConvMaxFilters];  // where each filter's result belongs
  float bias[kConvMaxFilters];
};

struct ConvLayerArgs {
  const ConvPart* parts;
  int32_t filters;  // of each part: 1, 2 or 4
};

// One vector of output pixels, anywhere in the tensor. Displacements are those of its first pixel from the tile's;
// those of `out` and `residual` in bytes.
//
//     whole    [ pixels of one row           ]
//     halves   [ of one row  | of the next   ]     where no more than half a vector of columns is left
struct ConvVector {
  ptrdiff_t in, out, residual;
  int32_t pixels[2];  // to store, of each row; whole vectors have one row
};

// Zeros beside a row's pixels, from the tile's first pixel on.
struct ConvZeros {
  ptrdiff_t first;
  int32_t count;
};

// Parts first_part .. last_part - 1 of one tile of output pixels.
struct ConvTileArgs {
  const ConvLayerArgs* layer;
  int32_t first_part, last_part;
  int32_t lanes;  // of the vectors: as many as the widest has, or half of it
  int32_t halves;
  int32_t all_whole;    // whether all lanes of all vectors are pixels to store
  int32_t prefetch;     // whether each vector lies in rows of its own
  int32_t num_vectors;  // 1 .. kConvMaxTileVectors
  ConvVector vectors[kConvMaxTileVectors];
  int32_t num_zeros;
  ConvZeros zeros[4 * kConvMaxTileVectors];  // to store in each channel: before and behind each row of each vector

  // Of the tile: the first element of its first window, and its first output pixel, of channel 0. A half is the
  // distance from one row of `halves` to the other.
  const float* in;
  ptrdiff_t in_half;
  float* out;
  ptrdiff_t out_channel_stride, out_half;
  const float* residual;  // as out; null for none
  ptrdiff_t residual_channel_stride, residual_half;

  // Input that a later tile will need, to be brought into L2: so many lines of 64 bytes while each part is summed.
  const char* ahead;
  int32_t ahead_lines;

  float low, high;  // the activation; minus and plus infinity for none
};

// Rows of an image, split by column for strides above 1: plane p of a channel holds the columns first_column + p,
// first_column + p + stride, ..., zeros where they lie outside of the image.
//
//     image  a b c d e f g h ...        stride 2        plane 0  a c e g        plane 1  b d f h
struct SplitColumnsArgs {
  const float* in;  // column 0 of the row, channel 0; null for a row of zeros
  ptrdiff_t in_channel_stride;
  int32_t channels, width;  // of the image
  int32_t first_column;     // may be negative
  int32_t stride, planes;   // planes <= stride
  int32_t plane_columns;    // of each plane; up to a vector of what lies behind the last one is overwritten
  float* out;
  ptrdiff_t plane_stride, out_channel_stride;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_
