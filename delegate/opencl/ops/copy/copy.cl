// These micro-kernels move elements between places: conversions at the ends of a partition, and every op that only
// moves.
//
// A work-item moves one element; items are neighbours along W, the innermost dimension of tensors on the device. Slices
// and concatenations are maps with other strides and origins. `pack` and `unpack` have the caller's float32 elements on
// one side, in NHWC order.

typedef struct {
  int n, c, y, x;
} Index;

// Finds the item's element; returns false for items beyond the last one.
bool my_element(const Extent e, Index* i) {
  int item = get_global_id(0);
  i->x = item % e.columns, item /= e.columns;
  i->y = item % e.rows, item /= e.rows;
  i->c = item % e.channels, i->n = item / e.channels;
  return i->n < e.images;
}

kernel void pack(global const float* restrict from, global Element* restrict to, const Map from_map, const Map to_map,
                 const Extent extent) {
  Index i;
  if (!my_element(extent, &i)) return;
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), from[place(from_map, i.n, i.c, i.y, i.x)]);
}

kernel void unpack(global const Element* restrict from, global float* restrict to, const Map from_map, const Map to_map,
                   const Extent extent) {
  Index i;
  if (!my_element(extent, &i)) return;
  to[place(to_map, i.n, i.c, i.y, i.x)] = LOAD(from, place(from_map, i.n, i.c, i.y, i.x));
}

kernel void copy(global const Element* restrict from, global Element* restrict to, const Map from_map, const Map to_map,
                 const Extent extent) {
  Index i;
  if (!my_element(extent, &i)) return;
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), LOAD(from, place(from_map, i.n, i.c, i.y, i.x)));
}

// Writes `value` around the elements of `from`, whose first one has index `before` in `to`.
kernel void pad(global const Element* restrict from, global Element* restrict to, const Map from_map, const Map to_map,
                const Extent from_extent, const Extent extent, const Extent before, float value) {
  Index i;
  if (!my_element(extent, &i)) return;
  const int n = i.n - before.images, c = i.c - before.channels, y = i.y - before.rows, x = i.x - before.columns;
  const bool inside = n >= 0 && n < from_extent.images && c >= 0 && c < from_extent.channels && y >= 0 &&
                      y < from_extent.rows && x >= 0 && x < from_extent.columns;
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), inside ? LOAD(from, place(from_map, n, c, y, x)) : value);
}

// As Mirrored in delegate/graph/mirrored.h; edge is 1 if the mirror image begins with the edge itself, else 0.
int mirrored(int index, int size, int edge) {
  if (index < 0) return -index - edge;
  return index < size ? index : 2 * (size - 1) - index + edge;
}

// As pad, but around the elements of `from` lies their mirror image.
kernel void mirror_pad(global const Element* restrict from, global Element* restrict to, const Map from_map,
                       const Map to_map, const Extent from_extent, const Extent extent, const Extent before, int edge) {
  Index i;
  if (!my_element(extent, &i)) return;
  const int n = mirrored(i.n - before.images, from_extent.images, edge);
  const int c = mirrored(i.c - before.channels, from_extent.channels, edge);
  const int y = mirrored(i.y - before.rows, from_extent.rows, edge);
  const int x = mirrored(i.x - before.columns, from_extent.columns, edge);
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), LOAD(from, place(from_map, n, c, y, x)));
}

// Makes a block of `block` pixels (rows and columns) of each pixel's channels; `extent` is that of `to`.
kernel void depth_to_space(global const Element* restrict from, global Element* restrict to, const Map from_map,
                           const Map to_map, const Extent extent, const Extent block, const Clamp range) {
  Index i;
  if (!my_element(extent, &i)) return;
  const int c = (i.y % block.rows * block.columns + i.x % block.columns) * extent.channels + i.c;
  const float element = LOAD(from, place(from_map, i.n, c, i.y / block.rows, i.x / block.columns));
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), clamped(element, range));
}

// The way back; `extent` is that of `from`.
kernel void space_to_depth(global const Element* restrict from, global Element* restrict to, const Map from_map,
                           const Map to_map, const Extent extent, const Extent block) {
  Index i;
  if (!my_element(extent, &i)) return;
  const int c = (i.y % block.rows * block.columns + i.x % block.columns) * extent.channels + i.c;
  STORE(to, place(to_map, i.n, c, i.y / block.rows, i.x / block.columns),
        LOAD(from, place(from_map, i.n, i.c, i.y, i.x)));
}

// Writes the same elements, in NHWC order, in another shape.
kernel void reshape(global const Element* restrict from, global Element* restrict to, const Map from_map,
                    const Map to_map, const Extent from_extent, const Extent extent) {
  Index i;
  if (!my_element(extent, &i)) return;
  int element = ((i.n * extent.rows + i.y) * extent.columns + i.x) * extent.channels + i.c;
  const int c = element % from_extent.channels;
  element /= from_extent.channels;
  const int x = element % from_extent.columns;
  element /= from_extent.columns;
  const int y = element % from_extent.rows, n = element / from_extent.rows;
  STORE(to, place(to_map, i.n, i.c, i.y, i.x), LOAD(from, place(from_map, n, c, y, x)));
}
