// HCW, the layout of every tensor inside the cpu backend: the image width lies along the vector.
//
//     [image][row][channel][column]      one scalar weight times a vector of pixels, at any position of the weight
//
//            pitch = 6 floats: left zeros, w pixels, zeros to fill up
//     row 0  | 0 a a a a 0 | 0 b b b b 0 | 0 c c c c 0 |      channel 0, 1, 2: side by side, so that a few rows of all
//     row 1  | 0 a a a a 0 | 0 b b b b 0 | 0 c c c c 0 |      channels are one piece of memory
//            ^ Pixel(0, 1, 0, 0) - left
//
// The zeros around an image that a window reads are part of its tensor: `top` and `bottom` rows of zeros, `left` floats
// before each row of each channel; what lies to the right of a row is its fill and the `left` zeros of the next one
// (behind the very last row: the tail). So a tap of a convolution is one displacement, wherever the window stands.
//
// Who writes the zeros, since tensors share one arena and nothing stays from one run to the next:
//   - ClearBorders writes zero rows and the tail, before the step that makes the tensor;
//   - the step writes each row, its left zeros and its fill included;
//   - where only some rows are made (streamed ops, tiles of a Winograd convolution), who asks for them writes the zero
//     rows beside them and the tail behind the last one (ClearTail), in each band anew.
// So whatever a window reads was written in the same inference, and nobody reads rows that nobody made. Tests fill all
// memory with NaN before a run to see it (Executable::FillMemory).
//
// Short rows without borders begin where a vector does, so that a vector is one cache line; what lies between such rows
// is never read for a result.
//
// Kernels may read up to kSlackFloats behind the last row (a vector that begins in a row and ends behind it); what they
// read there they must not use. They write nothing outside of the rows they own.
//
// A tensor of 1x1 images without borders is [n][c], plain vectors.

#ifndef MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_
#define MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "delegate/graph/graph.h"

namespace mcpruner {

// Readable floats behind a tensor: a tile is at most 6 vectors of 16 floats wide, and begins up to a border late.
constexpr int kSlackFloats = 256;
// The widest border kept inside a tensor; windows that need more take another way.
constexpr int kMaxBorder = 64;

struct HcwLayout {
  int n = 0, h = 0, w = 0, c = 0;
  Padding2D border;  // zeros around each image, in rows and columns
  int pitch = 0;     // floats from one channel's row to the next

  ptrdiff_t row_stride() const { return ptrdiff_t{c} * pitch; }  // from one image row to the next
  ptrdiff_t image_stride() const { return row_stride() * (border.top + h + border.bottom); }
  // Pixel (image, y, x) of a channel, from the start of the buffer. y may be in the border, x too.
  ptrdiff_t Pixel(int image, int y, int channel, int x) const {
    return image * image_stride() + (border.top + y) * row_stride() + ptrdiff_t{channel} * pitch + border.left + x;
  }
  // Zeros to write behind the w pixels of each row.
  int fill() const { return border.right > border.left ? border.right - border.left : 0; }
  int64_t elements() const { return int64_t{n} * h * w * c; }
  // Of the buffer, slack included; 0 where the tensor has no elements.
  int64_t BufferFloats() const { return elements() == 0 ? 0 : int64_t{n} * image_stride() + kSlackFloats; }
  // Whether it is [n][c] in memory.
  bool is_vector() const { return h == 1 && w == 1 && pitch == 1 && border.top == 0 && border.bottom == 0; }
  Shape shape() const { return {n, h, w, c}; }
};

// `border` must be within kMaxBorder on each side.
HcwLayout MakeLayout(const Shape& shape, const Padding2D& border);

// Writes the zero rows and the tail of a tensor; no pixel and no row of pixels is touched.
void ClearBorders(const HcwLayout& layout, float* data);
// Writes the tail alone, at `end`: where the row behind the last one that is there would begin, left zeros included.
void ClearTail(const HcwLayout& layout, float* end);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_H_
