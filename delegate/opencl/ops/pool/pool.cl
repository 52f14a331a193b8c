// In these pools, a work-item reduces one window, clipped to the feature map. Items are neighbours along W.
//
// With IS_MAX the result is the largest element, otherwise the average of those inside.

#ifndef IS_MAX
#define IS_MAX 1
#endif

kernel void pool(global const Element* restrict x, global Element* restrict y, const PoolArgs a) {
  int item = get_global_id(0);
  const int column = item % a.extent.columns;
  item /= a.extent.columns;
  const int row = item % a.extent.rows;
  item /= a.extent.rows;
  const int channel = item % a.extent.channels, image = item / a.extent.channels;
  if (image >= a.extent.images) return;
  const int top = row * a.stride_h - a.top, left = column * a.stride_w - a.left;
  const int first_row = max(top, 0), last_row = min(top + a.height, a.in_rows);
  const int first_column = max(left, 0), last_column = min(left + a.width, a.in_columns);
  float result = IS_MAX ? -INFINITY : 0.0f;
  for (int r = first_row; r < last_row; ++r) {
    for (int c = first_column; c < last_column; ++c) {
      const float element = LOAD(x, place(a.in, image, channel, r, c));
#if IS_MAX
      result = element > result ? element : result;
#else
      result += element;
#endif
    }
  }
#if !IS_MAX
  result /= (float)((last_row - first_row) * (last_column - first_column));
#endif
  STORE(y, place(a.out, image, channel, row, column), clamped(result, a.clamp));
}
