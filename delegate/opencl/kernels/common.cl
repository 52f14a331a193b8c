// What every kernel starts with: the type of tensors in memory, elements by place, and the weights of a tap.
//
// STORAGE_HALF: tensors and weights are kept as binary16 and computed with as float32. vload_half and vstore_half are
// core OpenCL: cl_khr_fp16 is not needed.

#ifndef STORAGE_HALF
#define STORAGE_HALF 0
#endif

#if STORAGE_HALF
typedef half Element;
#define LOAD(p, i) vload_half((i), (p))
#define LOAD2(p, i) vload_half2((i), (p))
#define LOAD4(p, i) vload_half4((i), (p))
#define STORE(p, i, value) vstore_half_rte((value), (i), (p))
#else
typedef float Element;
#define LOAD(p, i) (p)[i]
#define LOAD2(p, i) vload2((i), (p))
#define LOAD4(p, i) vload4((i), (p))
#define STORE(p, i, value) (p)[i] = (value)
#endif

int place(const Map map, int n, int c, int y, int x) {
  return map.origin + n * map.image + c * map.channel + y * map.row + x * map.column;
}

// NaN stays NaN.
float clamped(float x, const Clamp range) { return x < range.low ? range.low : (x > range.high ? range.high : x); }

// FILTERS: of a part, 1, 2 or 4. The values of a tap are neighbours.
#ifndef FILTERS
#define FILTERS 4
#endif

typedef struct {
  float f[FILTERS];
} Weights;

Weights read_weights(global const Element* values, int tap) {
  Weights w;
#if FILTERS == 4
  const float4 v = LOAD4(values, tap);
  w.f[0] = v.x, w.f[1] = v.y, w.f[2] = v.z, w.f[3] = v.w;
#elif FILTERS == 2
  const float2 v = LOAD2(values, tap);
  w.f[0] = v.x, w.f[1] = v.y;
#else
  w.f[0] = LOAD(values, tap);
#endif
  return w;
}
