// Every micro-kernel starts with this: the type of tensors in memory, elements by place, and the weights of a tap.
//
// With STORAGE_HALF, tensors and weights are kept as binary16 and computed with as float32. vload_half and vstore_half
// are core OpenCL: cl_khr_fp16 is not needed. Vectors are read aligned (vloada_half), since NVIDIA's compiler makes
// vload4 four loads.
//
// With ARITHMETIC_HALF, a micro-kernel that multiplies much computes products and short sums in binary16 too
// (Real). This needs cl_khr_fp16.

#ifndef STORAGE_HALF
#define STORAGE_HALF 0
#endif
#ifndef ARITHMETIC_HALF
#define ARITHMETIC_HALF 0
#endif

#if STORAGE_HALF
typedef half Element;
#define LOAD(p, i) vload_half((i), (p))
#define LOAD2(p, i) vloada_half2((i), (p))
#define LOAD4(p, i) vloada_half4((i), (p))
#define STORE(p, i, value) vstore_half_rte((value), (i), (p))
#else
typedef float Element;
#define LOAD(p, i) (p)[i]
#define LOAD2(p, i) ((global const float2*)(p))[i]
#define LOAD4(p, i) ((global const float4*)(p))[i]
#define STORE(p, i, value) (p)[i] = (value)
#endif

#if ARITHMETIC_HALF && defined(cl_khr_fp16)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef half Real;
typedef half2 Real2;
typedef half4 Real4;
#define LOAD_REAL(p, i) (p)[i]
#define LOAD_REAL2(p, i) ((global const half2*)(p))[i]
#define LOAD_REAL4(p, i) ((global const half4*)(p))[i]
#elif ARITHMETIC_HALF  // Clang on x86-64 has the type without OpenCL's extension: for tests on PoCL
typedef _Float16 Real;
typedef Real Real2 __attribute__((ext_vector_type(2)));
typedef Real Real4 __attribute__((ext_vector_type(4)));
#define LOAD_REAL(p, i) (Real) vload_half((i), (p))
#define LOAD_REAL2(p, i) __builtin_convertvector(vloada_half2((i), (p)), Real2)
#define LOAD_REAL4(p, i) __builtin_convertvector(vloada_half4((i), (p)), Real4)
#else
typedef float Real;
typedef float2 Real2;
typedef float4 Real4;
#define LOAD_REAL(p, i) LOAD(p, i)
#define LOAD_REAL2(p, i) LOAD2(p, i)
#define LOAD_REAL4(p, i) LOAD4(p, i)
#endif

int place(const Map map, int n, int c, int y, int x) {
  return map.origin + n * map.image + c * map.channel + y * map.row + x * map.column;
}

// NaN stays NaN.
float clamped(float x, const Clamp range) { return x < range.low ? range.low : (x > range.high ? range.high : x); }

// A part has FILTERS filters: 1, 2 or 4. The values of a tap are neighbours.
#ifndef FILTERS
#define FILTERS 4
#endif

// Weights are aligned so that a tap is read at once, from local memory too.
typedef struct {
  Real f[FILTERS];
} __attribute__((aligned(FILTERS * sizeof(Real)))) Weights;

Weights read_weights(global const Element* values, int tap) {
  Weights w;
#if FILTERS == 4
  const Real4 v = LOAD_REAL4(values, tap);
  w.f[0] = v.x, w.f[1] = v.y, w.f[2] = v.z, w.f[3] = v.w;
#elif FILTERS == 2
  const Real2 v = LOAD_REAL2(values, tap);
  w.f[0] = v.x, w.f[1] = v.y;
#else
  w.f[0] = LOAD_REAL(values, tap);
#endif
  return w;
}
