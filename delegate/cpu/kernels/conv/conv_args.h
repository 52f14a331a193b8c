// These are the arguments of the convolution's micro-kernels: plain pointers and strides, counted in floats unless they
// say bytes.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

// A tile has at most this many vectors: its sums for 4 filters, its inputs and a weight then fit 32 registers (24 + 6 +
// 1). With 16 registers it has half as many (12 + 3 + 1).
enum { kConvMaxTileVectors = 6 };
// This many filters are summed at once. Larger groups are done in parts, which share the group's taps but not its
// values.
enum { kConvMaxFilters = 4 };

// The micro-kernel may read this many taps beyond a part's last one.
enum { kConvPrefetchedTaps = 8 };

// A part is up to 4 filters of one filter group: a whole group of 1, 2 or 4, or a piece of a group of 8 or 16. A tap is
// one position of one kernel: an input element that is multiplied by one weight of each filter.
struct ConvPart {
  const int32_t* taps;  // of each tap: its displacement in bytes from a window's first element
  const float* values;  // of each tap in turn: ConvLayerArgs::filters values
  int32_t num_taps;
  int32_t num_filters;                    // those that exist, 1 .. ConvLayerArgs::filters
  int32_t out_channels[kConvMaxFilters];  // where each filter's result belongs
  float bias[kConvMaxFilters];
};

struct ConvLayerArgs {
  const ConvPart* parts;
  int32_t filters;  // per part: 1, 2 or 4
};

// A ConvVector is one vector of output pixels, anywhere in the tensor. Its displacements lead from the tile's first
// pixel to its own first pixel; those of `out` and `residual` are in bytes.
//
//     whole    [ pixels of one row           ]
//     two rows [ of one row  | of the next   ]     where no more than half a vector of columns is left
struct ConvVector {
  ptrdiff_t in, out, residual;
  int32_t pixels[2];  // how many to store, in each row; whole vectors have one row
  int32_t stored[2];  // the same, with the zeros behind a row's last pixel that fit the vector
};

// These zeros lie behind a row's pixels, beyond its last vector; `first` is counted from the tile's first pixel.
struct ConvZeros {
  ptrdiff_t first;
  int32_t count;
};

// These arguments ask for parts first_part .. last_part - 1 of one tile of output pixels.
struct ConvTileArgs {
  const ConvLayerArgs* layer;
  int32_t first_part, last_part;
  int32_t lanes;        // of each vector: as many as the widest vector has, or half of them
  int32_t two_rows;     // whether vectors are of two rows
  int32_t all_whole;    // whether all lanes of all vectors are pixels to store
  int32_t fills;        // whether some vector has zeros to store behind its pixels
  int32_t prefetch;     // whether each vector lies in rows of its own
  int32_t num_vectors;  // 1 .. kConvMaxTileVectors
  ConvVector vectors[kConvMaxTileVectors];
  int32_t num_zeros;
  ConvZeros zeros[2 * kConvMaxTileVectors];  // to store in each channel: for each row of each vector

  // `in` is the first element of the tile's first window, `out` its first output pixel, both of channel 0. The second
  // row of a vector of two rows lies `in_second_row` and so on behind its first row.
  const float* in;
  ptrdiff_t in_second_row;
  float* out;
  ptrdiff_t out_channel_stride, out_second_row;
  const float* residual;  // as out; null for none
  ptrdiff_t residual_channel_stride, residual_second_row;

  // A later tile will need the input that begins here. While each part is summed, the micro-kernel brings ahead_lines
  // lines of 64 bytes of it into L2.
  const char* ahead;
  int32_t ahead_lines;

  float low, high;  // the activation's bounds; minus and plus infinity for none
  StoreEpilogue epilogue;
};

// SplitColumns takes rows of an image apart by column, for strides above 1: plane p of a channel holds the columns
// first_column + p, first_column + p + stride, ..., with zeros where they lie outside of the image.
//
//     image  a b c d e f g h ...        stride 2        plane 0  a c e g        plane 1  b d f h
struct SplitColumnsArgs {
  const float* in;  // column 0 of the row, channel 0; null for a row of zeros
  ptrdiff_t in_channel_stride;
  int32_t channels, width;  // of the image
  int32_t first_column;     // may be negative
  int32_t stride, planes;   // planes <= stride
  int32_t plane_columns;    // of each plane; up to a vector of floats behind the last one is overwritten
  float* out;
  ptrdiff_t plane_stride, out_channel_stride;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_ARGS_H_
