// In this fully-connected layer, a work-group sums one part (up to 4 filters of a group) for ROWS rows of the input.
//
// Each weight is used once for a row, so the time is that of reading weights: lanes take neighbouring taps, whose
// displacements and values coalesce, gather their inputs, and add up their sums at the end.

#ifndef LANES
#define LANES 64
#endif
#ifndef ROWS
#define ROWS 1
#endif

kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void fully_connected(
    global const Element* restrict x, global Element* restrict y, global const Part* restrict parts,
    global const int* restrict displacements, global const Element* restrict values, const WindowArgs a) {
  const int lane = get_local_id(0);
  global const Part* part = parts + get_group_id(1);
  const int first_row = get_group_id(0) * ROWS;
  float sum[ROWS * FILTERS];
#pragma unroll
  for (int i = 0; i < ROWS * FILTERS; ++i) sum[i] = 0.0f;
  const int first_tap = part->first_column, first_value = part->first_value, taps = part->taps;
  for (int t = lane; t < taps; t += LANES) {
    const int d = a.in.origin + displacements[first_tap + t];
    const Weights w = read_weights(values, first_value + t);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      const float input = LOAD(x, d + min(first_row + r, a.extent.images - 1) * a.in.image);
#pragma unroll
      for (int f = 0; f < FILTERS; ++f) sum[r * FILTERS + f] += w.f[f] * input;
    }
  }
  local float sums[ROWS * FILTERS][LANES];
#pragma unroll
  for (int i = 0; i < ROWS * FILTERS; ++i) sums[i][lane] = sum[i];
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_lanes) {
      for (int i = 0; i < ROWS * FILTERS; ++i) sums[i][lane] += sums[i][lane + half_lanes];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (lane >= ROWS * FILTERS) return;
  const int row = first_row + lane / FILTERS, f = lane % FILTERS, channel = part->out_channel[f];
  if (row >= a.extent.images || channel < 0) return;
  STORE(y, place(a.out, row, channel, 0, 0), clamped(sums[lane][0] + part->bias[f], a.clamp));
}
