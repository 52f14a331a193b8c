// Sparse convolution: a work-item sums one part (up to 4 filters of a group) for PIXELS output pixels below each other.
//
//     work-group  LANES x SPLIT items            lane: neighbouring pixels along W, so that loads of x coalesce
//                                                split: a share of the part's taps; the shares are added up at the end
//
//     column      [displacement] [FILTERS weights] for each of COLUMN_ROWS taps    read by all lanes alike
//       |               v
//       |         x: o o o o   one column for each lane      sum[k][f] += weight[row][f] *
//       |            o o o o   one row for each k                         x[window k + displacement + row of the tap]
//
// A column is one tap, or the rows of a dense layer's kernel below each other: pixels and taps whose rows coincide share
// a load, since addresses are a base and a constant. Its displacement counts from the window's first element, whatever
// its channel and kernel position: no branch, no bounds, since the tensor's borders hold zeros. A dense layer has all
// taps, the same ones for each part.
//
// Private memory: PIXELS * FILTERS sums, and the operands of UNROLL columns in flight: PIXELS + COLUMN_ROWS - 1 inputs
// and COLUMN_ROWS * FILTERS weights each.

#ifndef LANES
#define LANES 32
#endif
#ifndef SPLIT
#define SPLIT 1
#endif
#ifndef PIXELS
#define PIXELS 4
#endif
// Elements from a window to the one below. A constant, so that the loads of an item's pixels share one address.
#ifndef ROW_STEP
#define ROW_STEP 1
#endif
#ifndef COLUMN_ROWS
#define COLUMN_ROWS 1
#endif
// Elements from a tap of a column to the one below.
#ifndef TAP_STEP
#define TAP_STEP 1
#endif
// Columns of one loop step; parts are filled up to it.
#if COLUMN_ROWS == 1
#define UNROLL 4
#else
#define UNROLL 1
#endif
// With half arithmetic: loop steps, of about 32 taps, whose sum is kept in half before it is added to the float32 sum.
#define SHORT_SUM (32 / (UNROLL * COLUMN_ROWS))

// Adds the taps of loop step `step` to the sums.
void add_taps(global const Element* restrict x, int window, global const int* restrict displacements,
              global const Element* restrict values, int first_value, int step, Real sum[PIXELS][FILTERS]) {
#if UNROLL == 4
  const int4 d4 = ((global const int4*)displacements)[step];
  const int d[UNROLL] = {d4.x, d4.y, d4.z, d4.w};
#else
  const int d[UNROLL] = {displacements[step]};
#endif
#pragma unroll
  for (int t = 0; t < UNROLL * COLUMN_ROWS; ++t) {
    const Weights w = read_weights(values, first_value + step * (UNROLL * COLUMN_ROWS) + t);
    global const Element* const from = x + (window + d[t / COLUMN_ROWS]);
#pragma unroll
    for (int k = 0; k < PIXELS; ++k) {
      const Real input = LOAD_REAL(from, k * ROW_STEP + t % COLUMN_ROWS * TAP_STEP);
#pragma unroll
      for (int f = 0; f < FILTERS; ++f) sum[k][f] += w.f[f] * input;
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

  const int steps = part->taps / (UNROLL * COLUMN_ROWS);
  const int last = steps * (share + 1) / SPLIT;
  const int first_column = part->first_column, first_value = part->first_value;
#if ARITHMETIC_HALF
  for (int step = steps * share / SPLIT; step < last;) {
    Real short_sum[PIXELS][FILTERS] = {{0}};
    for (const int stop = min(step + SHORT_SUM, last); step < stop; ++step) {
      add_taps(x, window, displacements + first_column, values, first_value, step, short_sum);
    }
#pragma unroll
    for (int i = 0; i < PIXELS * FILTERS; ++i) sum[i / FILTERS][i % FILTERS] += short_sum[i / FILTERS][i % FILTERS];
  }
#else
  for (int step = steps * share / SPLIT; step < last; ++step) {
    add_taps(x, window, displacements + first_column, values, first_value, step, sum);
  }
#endif

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
