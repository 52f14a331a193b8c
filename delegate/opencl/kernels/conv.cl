// Sparse convolution: a work-item sums one part (up to 4 filters of a group) for PIXELS output pixels below each other.
//
//     work-group  LANES x SPLIT items            lane: neighbouring pixels along W, so that loads of x coalesce
//                                                split: a share of the part's taps; the shares are added up at the end
//
//     column      [displacement] [FILTERS weights for each tap]    read by all lanes alike
//       |               v
//       |         x: o o o o   one column for each lane      sum[k][f] += weight[tap][f] * x[window k + displacement +
//       |            o o o o   one row for each k                                            row of the tap]
//       |            o o o o   and more rows for taps below
//
// A column is up to 3 taps below each other; its mask, a constant in each loop, says which. Pixels and taps whose rows
// coincide share a load: addresses are a base and a constant, so that the compiler sees it. No branch, no bounds,
// since the tensor's borders hold zeros. A dense layer has all taps, the same ones for each part.
//
// Private memory: PIXELS * FILTERS sums, and PIXELS + 2 inputs and FILTERS weights in flight.

#ifndef LANES
#define LANES 32
#endif
#ifndef SPLIT
#define SPLIT 1
#endif
#ifndef PIXELS
#define PIXELS 4
#endif
// Elements from a window to the one below, and from a tap to the one below.
#ifndef ROW_STEP
#define ROW_STEP 1
#endif
#ifndef TAP_STEP
#define TAP_STEP 1
#endif
// Bit m: some column of the layer has mask m.
#ifndef MASKS
#define MASKS 0xFE
#endif
#define BIT(mask, i) ((mask) >> (i) & 1)
#define TAPS(mask) (BIT(mask, 0) + BIT(mask, 1) + BIT(mask, 2))

// Adds one column's taps to the sums. `mask` is a constant where it is called.
void add_column(const int mask, global const Element* restrict from, global const Element* restrict values,
                       int tap, float sum[PIXELS][FILTERS]) {
#pragma unroll
  for (int row = 0; row < 3; ++row) {
    if (BIT(mask, row)) {
      const Weights w = read_weights(values, tap++);
#pragma unroll
      for (int k = 0; k < PIXELS; ++k) {
        const float input = LOAD(from, k * ROW_STEP + row * TAP_STEP);
#pragma unroll
        for (int f = 0; f < FILTERS; ++f) sum[k][f] += w.f[f] * input;
      }
    }
  }
}

kernel __attribute__((reqd_work_group_size(LANES, SPLIT, 1))) void conv(
    global const Element* restrict x, global const Element* restrict residual, global Element* restrict y,
    global const Part* restrict parts, global const int* restrict displacements, global const Element* restrict values,
    const WindowArgs a) {
  const int share = get_local_id(1);
  global const Part* part = parts + get_group_id(1);

  // Lanes beyond the last column of pixels repeat it and store nothing; so do rows that the item above stores.
  const int blocks = (a.extent.rows + PIXELS - 1) / PIXELS;
  const int items = a.extent.images * blocks * a.extent.columns;
  const int item = min((int)get_global_id(0), items - 1);
  const int column = item % a.extent.columns;
  const int block = item / a.extent.columns % blocks;
  const int image = item / a.extent.columns / blocks;
  const int row = min(block * PIXELS, a.extent.rows - PIXELS);
  const int window = a.in.origin + image * a.in.image + row * ROW_STEP + column * a.column_step;

  float sum[PIXELS][FILTERS];
#pragma unroll
  for (int k = 0; k < PIXELS; ++k) {
#pragma unroll
    for (int f = 0; f < FILTERS; ++f) sum[k][f] = 0.0f;
  }

  // The share's taps, of all of the part's; a column belongs to the share that its first tap falls into.
  int taps = 0;
#pragma unroll
  for (int mask = 1; mask <= 7; ++mask) taps += part->columns[mask - 1] * TAPS(mask);
  const int begin = taps * share / SPLIT, end = taps * (share + 1) / SPLIT;
  int first_column = part->first_column, tap = 0;
#define ADD_COLUMNS(mask)                                                                      \
  if (BIT(MASKS, mask)) {                                                                      \
    const int count = part->columns[mask - 1];                                                 \
    const int last = clamp((end - tap + TAPS(mask) - 1) / TAPS(mask), 0, count);               \
    for (int i = clamp((begin - tap + TAPS(mask) - 1) / TAPS(mask), 0, count); i < last; ++i) { \
      add_column(mask, x + (window + displacements[first_column + i]), values,                 \
                 part->first_value + tap + i * TAPS(mask), sum);                               \
    }                                                                                          \
    first_column += count;                                                                     \
    tap += count * TAPS(mask);                                                                 \
  }
  ADD_COLUMNS(1)
  ADD_COLUMNS(2)
  ADD_COLUMNS(3)
  ADD_COLUMNS(4)
  ADD_COLUMNS(5)
  ADD_COLUMNS(6)
  ADD_COLUMNS(7)

#if SPLIT > 1
  local float shares[SPLIT][PIXELS * FILTERS][LANES];
  const int lane = get_local_id(0);
#pragma unroll
  for (int i = 0; i < PIXELS * FILTERS; ++i) shares[share][i][lane] = sum[i / FILTERS][i % FILTERS];
  barrier(CLK_LOCAL_MEM_FENCE);
  // The sums are dealt out over the shares: item (lane, share) adds up and stores every SPLIT-th of its lane.
  for (int i = share; i < PIXELS * FILTERS; i += SPLIT) {
    const int k = i / FILTERS, f = i % FILTERS;
    float total = 0.0f;
    for (int s = 0; s < SPLIT; ++s) total += shares[s][i][lane];
#else
#pragma unroll
  for (int i = 0; i < PIXELS * FILTERS; ++i) {
    const int k = i / FILTERS, f = i % FILTERS;
    const float total = sum[k][f];
#endif
    const int channel = part->out_channel[f];
    const bool mine = get_global_id(0) < items && row + k >= block * PIXELS;
    if (mine && channel >= 0) {
      float result = total + part->bias[f];
      if (a.has_residual) result += LOAD(residual, place(a.residual, image, channel, row + k, column));
      STORE(y, place(a.out, image, channel, row + k, column), clamped(result, a.clamp));
    }
  }
}
