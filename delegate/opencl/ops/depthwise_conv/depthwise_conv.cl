// In this depthwise convolution, a work-item computes PIXELS output pixels below each other of one channel.
//
// All lanes of a work-group have one output channel, so that they read the same weights; lanes are neighbours along W.
// The borders of x hold zeros, so bounds need no check. A row of x is read once for each of the PIXELS windows that it
// lies in.

#ifndef LANES
#define LANES 32
#endif
#ifndef PIXELS
#define PIXELS 4
#endif

kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void depthwise(global const Element* restrict x,
                                                                         global Element* restrict y,
                                                                         global const Element* restrict weights,
                                                                         global const float* restrict bias,
                                                                         const WindowArgs a, const DepthwiseArgs d) {
  const int channel = get_group_id(1);
  const int blocks = (a.extent.rows + PIXELS - 1) / PIXELS;
  const int items = a.extent.images * blocks * a.extent.columns;
  const int item = get_global_id(0);
  if (item >= items) return;
  const int column = item % a.extent.columns;
  const int block = item / a.extent.columns % blocks;
  const int image = item / a.extent.columns / blocks;
  const int row = min(block * PIXELS, a.extent.rows - PIXELS);
  const int window = a.in.origin + image * a.in.image + channel / d.multiplier * a.in.channel + row * a.row_step +
                     column * a.column_step;
  float sum[PIXELS];
#pragma unroll
  for (int k = 0; k < PIXELS; ++k) sum[k] = bias[channel];
  for (int ky = 0; ky < d.height; ++ky) {
    for (int kx = 0; kx < d.width; ++kx) {
      const float w = LOAD(weights, (channel * d.height + ky) * d.width + kx);
      const int tap = window + ky * d.row + kx * d.column;
#pragma unroll
      for (int k = 0; k < PIXELS; ++k) sum[k] += w * LOAD(x, tap + k * a.row_step);
    }
  }
#pragma unroll
  for (int k = 0; k < PIXELS; ++k) {
    if (row + k < block * PIXELS) continue;
    STORE(y, place(a.out, image, channel, row + k, column), clamped(sum[k], a.clamp));
  }
}
