// A work-item makes one element of a resized image. Items are neighbours along W.
//
// `sources` says for each row of the output, and then for each column, what it is made of
// (delegate/graph/resize_axis.h). A neighbour without a share may be NaN, and there may be none.

typedef struct {
  int lower;
  float share;
} ResizeSource;

kernel void resize(global const Element* restrict from, global Element* restrict to, global const ResizeSource* sources,
                   const Map from_map, const Map to_map, const Extent extent) {
  int item = get_global_id(0);
  const int column = item % extent.columns;
  item /= extent.columns;
  const int row = item % extent.rows;
  item /= extent.rows;
  const int channel = item % extent.channels, image = item / extent.channels;
  if (image >= extent.images) return;
  const ResizeSource y = sources[row], x = sources[extent.rows + column];
  const int first = place(from_map, image, channel, y.lower, x.lower);
  const int down = y.share > 0.0f ? from_map.row : 0, across = x.share > 0.0f ? from_map.column : 0;
  float left = LOAD(from, first), right = LOAD(from, first + across);
  if (down > 0) {
    left += (LOAD(from, first + down) - left) * y.share;
    right += (LOAD(from, first + down + across) - right) * y.share;
  }
  if (across > 0) left += (right - left) * x.share;
  STORE(to, place(to_map, image, channel, row, column), left);
}
