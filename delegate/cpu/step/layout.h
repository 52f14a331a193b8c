// HCW is the layout of every tensor inside the cpu backend: the image's width lies along the vector.
//
//     [image][row][channel][column]      one scalar weight times a vector of pixels, at any position of the weight
//
//              pitch = 6 floats: w pixels, and the zeros behind them
//     row 0  0 | a a a a 0 0 | b b b b 0 0 | c c c c 0 0 |      channels 0, 1, 2 lie side by side, so
//     row 1    | a a a a 0 0 | b b b b 0 0 | c c c c 0 0 |      a few rows of all channels are one piece of memory
//            ^ the head: `left` zeros before the first row
//
// The zeros around an image that a window reads are part of its tensor, so that a tap of a convolution is one
// displacement wherever the window stands. There are `top` and `bottom` rows of zeros. What lies to the right of a row
// lies to the left of the next one, so there are as many zeros as the wider of both sides wants.
//
// Tensors share one arena, and nothing stays from one run to the next. So it matters who writes the zeros:
//   - ClearBorders writes the head and the rows of zeros, before the step that makes the tensor.
//   - The step writes each row with the zeros behind it (fill), in the same vector where they fit into it.
//   - Where only some rows are made (streamed ops, tiles of a Winograd convolution), whoever asks for them writes the
//     head, and the rows of zeros beside them, anew in each band.
// Whatever a window reads was therefore written in the same inference, and nobody reads rows that nobody made. Tests
// fill all memory with NaN before a run to prove it (Executable::FillMemory).
//
// Short rows without borders begin at a multiple of the vector, so that a vector is one cache line. What lies between
// such rows is never used for a result.
//
// Micro-kernels may read up to kSlackFloats behind the last row (by a vector that begins in a row and ends behind it),
// but must not use what they read there. They write nothing outside of the rows that they own.
//
// A tensor of 1x1 images without borders is [n][c]: plain vectors.

#ifndef MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_
#define MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "delegate/graph/graph.h"

namespace mcpruner {

// This many floats behind a tensor can be read: a tile is at most 6 vectors of 16 floats wide and begins up to a border
// late.
constexpr int kSlackFloats = 256;
// This is the widest border kept inside a tensor. Windows that need more take another way.
constexpr int kMaxBorder = 64;

struct HcwLayout {
  int n = 0, h = 0, w = 0, c = 0;
  Padding2D border;  // zeros around each image, in rows and columns
  int pitch = 0;     // floats from one channel's row to the next

  ptrdiff_t row_stride() const { return ptrdiff_t{c} * pitch; }  // from one image row to the next
  ptrdiff_t image_stride() const { return row_stride() * (border.top + h + border.bottom); }
  // Returns where pixel (image, y, x) of a channel stands in the buffer. Both y and x may lie in the border.
  ptrdiff_t Pixel(int image, int y, int channel, int x) const {
    return image * image_stride() + (border.top + y) * row_stride() + ptrdiff_t{channel} * pitch + border.left + x;
  }
  // Returns how many zeros are to be written behind the w pixels of each row.
  int fill() const { return std::max(border.left, border.right); }
  int64_t elements() const { return int64_t{n} * h * w * c; }
  // Returns the size of the buffer, slack included; 0 where the tensor has no elements.
  int64_t BufferFloats() const { return elements() == 0 ? 0 : int64_t{n} * image_stride() + kSlackFloats; }
  // Returns whether the tensor is [n][c] in memory.
  bool is_vector() const { return h == 1 && w == 1 && pitch == 1 && border.top == 0 && border.bottom == 0; }
  Shape shape() const { return {n, h, w, c}; }
};

// `border` must be within kMaxBorder on each side.
HcwLayout MakeLayout(const Shape& shape, const Padding2D& border);

// Writes the head and the rows of zeros of a tensor, and touches no pixel.
void ClearBorders(const HcwLayout& layout, float* data);
// Does so for `above` and `below` rows of zeros of `rows` rows that begin at `data`, head included.
void ClearBorders(const HcwLayout& layout, int above, int below, int rows, float* data);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_
