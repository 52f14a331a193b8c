// These ops take one element at a time. FUNCTION is an expression of a (and b), so that each function is a program of
// its own.
//
// Broadcasts are maps with strides of 0. Items are neighbours along W.

#ifndef FUNCTION
#define FUNCTION a + b
#endif

// tanh(log(1 + n)) is (n^2 + 2n) / (n^2 + 2n + 2) with n = exp(a); where a is above 20, it is 1.
float mish(float a) {
  const float n = exp(fmin(a, 20.0f));
  const float m = n * (n + 2.0f);
  return a * (m / (m + 2.0f));
}

float apply(float a, float b) { return FUNCTION; }

kernel void elementwise(global const Element* restrict x, global const Element* restrict z, global Element* restrict y,
                        const Map x_map, const Map z_map, const Map y_map, const Extent e, const Clamp clamp) {
  int item = get_global_id(0);
  const int column = item % e.columns;
  item /= e.columns;
  const int row = item % e.rows;
  item /= e.rows;
  const int channel = item % e.channels, image = item / e.channels;
  if (image >= e.images) return;
  const float a = LOAD(x, place(x_map, image, channel, row, column));
  const float b = LOAD(z, place(z_map, image, channel, row, column));
  STORE(y, place(y_map, image, channel, row, column), clamped(apply(a, b), clamp));
}
