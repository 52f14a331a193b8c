// In this sparse convolution, a work-item sums one part (up to 4 filters of a group) for PIXELS output pixels below
// each other.
//
//     work-group  LANES x SPLIT items            lane: neighbouring pixels along W, so that loads of x coalesce
//                                                split: a portion of the part's taps; all sums are added up at the end
//
//     column      [displacement] [FILTERS weights] for each of COLUMN_ROWS taps    read by all lanes alike
//       |               v
//       |         x: o o o o   one column for each lane      sum[k][f] += weight[row][f] *
//       |            o o o o   one row for each k                         x[window k + displacement + row of the tap]
//
// A column is one tap or, in a dense layer, the rows of the kernel below each other: pixels and taps whose rows
// coincide share a load, since addresses are a base and a constant. Its displacement counts from the window's first
// element, whatever its channel and kernel position. There is no branch and no bounds check, since the tensor's borders
// hold zeros. A dense layer has all taps, the same ones for each part.
//
// With STAGED, the lanes of a portion copy its next STAGED columns, at most one each, to local memory and read them
// there. This is worth it where many loads of one address cost as much as loads of many addresses, as on NVIDIA's
// devices.
//
// Private memory holds PIXELS * FILTERS sums and the operands of UNROLL columns in flight, which have PIXELS +
// COLUMN_ROWS - 1 inputs and COLUMN_ROWS * FILTERS weights each.

#ifndef LANES
#define LANES 32
#endif
#ifndef SPLIT
#define SPLIT 1
#endif
#ifndef PIXELS
#define PIXELS 4
#endif
// ROW_STEP is the elements from a window to the one below. It is a constant, so that the loads of an item's pixels
// share one address.
#ifndef ROW_STEP
#define ROW_STEP 1
#endif
#ifndef COLUMN_ROWS
#define COLUMN_ROWS 1
#endif
// TAP_STEP is the elements from a tap of a column to the one below.
#ifndef TAP_STEP
#define TAP_STEP 1
#endif
#ifndef STAGED
#define STAGED 0
#endif
// A loop step takes UNROLL columns; parts are filled up to a multiple of it.
#if COLUMN_ROWS == 1
#define UNROLL 4
#else
#define UNROLL 1
#endif
// With half arithmetic, the sum of this many loop steps, about 32 taps, is kept in half before it is added to the
// float32 sum.
#define SHORT_SUM (32 / (UNROLL * COLUMN_ROWS))

#if STAGED
#define TAPS local
typedef Weights TapWeights;
#define READ_WEIGHTS(weights, tap) (weights)[tap]
#else
#define TAPS global
typedef Element TapWeights;
#define READ_WEIGHTS(weights, tap) read_weights(weights, tap)
#endif

// Adds the taps of loop step `step` to the sums.
void add_taps(global const Element* restrict x, int window, TAPS const int* displacements,
              TAPS const TapWeights* weights, int step, Real sum[PIXELS][FILTERS]) {
#if UNROLL == 4
  const int4 d4 = ((TAPS const int4*)displacements)[step];
  const int d[UNROLL] = {d4.x, d4.y, d4.z, d4.w};
#else
  const int d[UNROLL] = {displacements[step]};
#endif
#pragma unroll
  for (int t = 0; t < UNROLL * COLUMN_ROWS; ++t) {
    const Weights w = READ_WEIGHTS(weights, step * (UNROLL * COLUMN_ROWS) + t);
    global const Element* const from = x + (window + d[t / COLUMN_ROWS]);
#pragma unroll
    for (int k = 0; k < PIXELS; ++k) {
      const Real input = LOAD_REAL(from, k * ROW_STEP + t % COLUMN_ROWS * TAP_STEP);
#pragma unroll
      for (int f = 0; f < FILTERS; ++f) sum[k][f] += w.f[f] * input;
    }
  }
}

// Adds the taps of the steps from `step` to before `last`.
void add_steps(global const Element* restrict x, int window, TAPS const int* displacements,
               TAPS const TapWeights* weights, int step, int last, float sum[PIXELS][FILTERS]) {
#if ARITHMETIC_HALF
  while (step < last) {
    Real short_sum[PIXELS][FILTERS] = {{0}};
    for (const int stop = min(step + SHORT_SUM, last); step < stop; ++step) {
      add_taps(x, window, displacements, weights, step, short_sum);
    }
#pragma unroll
    for (int i = 0; i < PIXELS * FILTERS; ++i) sum[i / FILTERS][i % FILTERS] += short_sum[i / FILTERS][i % FILTERS];
  }
#else
  for (; step < last; ++step) add_taps(x, window, displacements, weights, step, sum);
#endif
}

#if STAGED || SPLIT > 1
// First it holds what the lanes of each portion have copied, then the sums of all portions.
typedef union {
#if STAGED
  struct {
    int4 displacements[SPLIT][STAGED / 4];
    Weights weights[SPLIT][STAGED * COLUMN_ROWS];
  } taps;
#endif
#if SPLIT > 1
  float sums[SPLIT][PIXELS * FILTERS][LANES];
#endif
} Scratch;
#endif

#if STAGED
// Adds the taps of a portion, STAGED columns at a time. All portions of a part take equally many turns, since they meet
// at the barriers.
void add_staged(global const Element* restrict x, int window, global const int* displacements,
                global const Element* values, int steps, local Scratch* scratch, float sum[PIXELS][FILTERS]) {
  const int portion = get_local_id(1), lane = get_local_id(0);
  const int first = steps * portion / SPLIT, last = steps * (portion + 1) / SPLIT;
  const int batch = STAGED / UNROLL;  // steps
  const int turns = ((steps + SPLIT - 1) / SPLIT + batch - 1) / batch;
  local int* const staged_displacements = (local int*)scratch->taps.displacements[portion];
  local Weights* const staged_weights = scratch->taps.weights[portion];
  for (int turn = 0; turn < turns; ++turn) {
    const int step = first + turn * batch;
    const int column = step * UNROLL + lane;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < STAGED && column < last * UNROLL) {
      staged_displacements[lane] = displacements[column];
#pragma unroll
      for (int r = 0; r < COLUMN_ROWS; ++r) {
        staged_weights[lane * COLUMN_ROWS + r] = read_weights(values, column * COLUMN_ROWS + r);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    add_steps(x, window, staged_displacements, staged_weights, 0, min(batch, last - step), sum);
  }
}
#endif

// An item's pixels are PIXELS rows of a column.
typedef struct {
  int image, column, row;
  int first;  // the first row that it stores: rows before it belong to the item above
  bool exists;
} Pixels;

// Lanes beyond the last column of pixels repeat it and store nothing.
Pixels pixels_of(const Extent extent) {
  const int blocks = (extent.rows + PIXELS - 1) / PIXELS;
  const int items = extent.images * blocks * extent.columns;
  const int item = min((int)get_global_id(0), items - 1);
  Pixels pixels;
  pixels.image = item / extent.columns / blocks;
  pixels.column = item % extent.columns;
  pixels.first = item / extent.columns % blocks * PIXELS;
  pixels.row = min(pixels.first, extent.rows - PIXELS);
  pixels.exists = get_global_id(0) < items;
  return pixels;
}

// Stores `rows` rows of filter f from the item's row k on. Loads come first, so that a device waits for them once.
void store_rows(const float* sums, const int rows, int k, int f, const Pixels pixels, global const Part* part,
                global const Element* restrict residual, global Element* restrict y, const WindowArgs a) {
  const int channel = part->out_channel[f], row = pixels.row + k;
  if (channel < 0) return;
  float results[PIXELS];
#pragma unroll
  for (int i = 0; i < rows; ++i) results[i] = sums[i] + part->bias[f];
  if (a.has_residual) {
    const int from = place(a.residual, pixels.image, channel, row, pixels.column);
#pragma unroll
    for (int i = 0; i < rows; ++i) results[i] += LOAD(residual, from + i * a.residual.row);
  }
  const int to = place(a.out, pixels.image, channel, row, pixels.column);
#pragma unroll
  for (int i = 0; i < rows; ++i) {
    if (pixels.exists && row + i >= pixels.first) STORE(y, to + i * a.out.row, clamped(results[i], a.clamp));
  }
}

kernel __attribute__((reqd_work_group_size(LANES, SPLIT, 1))) void conv(
    global const Element* restrict x, global const Element* restrict residual, global Element* restrict y,
    global const Part* restrict parts, global const int* restrict displacements, global const Element* restrict values,
    const WindowArgs a) {
  const Pixels pixels = pixels_of(a.extent);
  const int window =
      a.in.origin + pixels.image * a.in.image + pixels.row * ROW_STEP + pixels.column * a.column_step;
  float sum[PIXELS][FILTERS];
#pragma unroll
  for (int i = 0; i < PIXELS * FILTERS; ++i) sum[i / FILTERS][i % FILTERS] = 0.0f;

  const int portion = get_local_id(1);
  global const Part* part = parts + get_group_id(1);
  const int steps = part->taps / (UNROLL * COLUMN_ROWS);
  displacements += part->first_column;
  values += part->first_value * FILTERS;
#if STAGED || SPLIT > 1
  local Scratch scratch;
#endif
#if STAGED
  add_staged(x, window, displacements, values, steps, &scratch, sum);
#else
  add_steps(x, window, displacements, values, steps * portion / SPLIT, steps * (portion + 1) / SPLIT, sum);
#endif

#if SPLIT > 1
  const int lane = get_local_id(0);
#if STAGED
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
#pragma unroll
  for (int i = 0; i < PIXELS * FILTERS; ++i) scratch.sums[portion][i][lane] = sum[i / FILTERS][i % FILTERS];
  barrier(CLK_LOCAL_MEM_FENCE);
  // The sums are dealt out over the portions: item (lane, portion) adds up and stores every SPLIT-th of its lane.
  for (int i = portion; i < PIXELS * FILTERS; i += SPLIT) {
    float total = 0.0f;
    for (int s = 0; s < SPLIT; ++s) total += scratch.sums[s][i][lane];
    store_rows(&total, 1, i / FILTERS, i % FILTERS, pixels, part, residual, y, a);
  }
#else
#pragma unroll
  for (int f = 0; f < FILTERS; ++f) {
    float sums[PIXELS];
#pragma unroll
    for (int k = 0; k < PIXELS; ++k) sums[k] = sum[k][f];
    store_rows(sums, PIXELS, 0, f, pixels, part, residual, y, a);
  }
#endif
}
