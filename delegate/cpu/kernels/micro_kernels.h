// A MicroKernels holds the micro-kernels of one instruction set, as function pointers.
//
//     micro_kernels.inc --> declarations     mcpruner::avx512::ConvTile, mcpruner::avx2::ConvTile, ...   (this header)
//                       --> MicroKernels     {"avx512", 16, &avx512::ConvTile, ...}                (simd_targets.cc)
//
// To add SIMD code for an op:
//   1. kernels/<op>/<op>_args.h: a plain struct of pointers, strides and numbers, with no functions and no std types;
//      include it below.
//   2. one line in micro_kernels.inc.
//   3. kernels/<op>/<op>_simd.cc: the function, in namespace mcpruner::MCPRUNER_SIMD_TARGET and between
//      HWY_BEFORE_NAMESPACE() and HWY_AFTER_NAMESPACE(), with the helpers of kernels/simd.h; simd_op (simd.bzl) in the
//      folder's BUILD compiles it; add the folder's :args to //delegate/cpu/kernels:micro_kernels, its :simd and :step
//      to //delegate/cpu/engine.
//   4. kernels/<op>/<op>_step.cc: a Step (delegate/cpu/step/step.h) that plans the work once and calls
//      `micro_kernels.Function(args)`.
// docs/operators.md leads through all that a new op takes.
//
// Why plain structs: the same source is compiled with AVX-512 and without. An inline function of a shared header
// (std::vector's, say) would be emitted by both, the linker would keep one, and an old CPU could meet AVX-512 code.
// So SIMD sources include nothing but argument structs, simd.h and Highway (whose functions are static).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MICRO_KERNELS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MICRO_KERNELS_H_

#include "delegate/cpu/kernels/binary/binary_args.h"
#include "delegate/cpu/kernels/blocks/blocks_args.h"
#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/cpu/kernels/copy/copy_args.h"
#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_args.h"
#include "delegate/cpu/kernels/fully_connected/fully_connected_args.h"
#include "delegate/cpu/kernels/normalize/normalize_args.h"
#include "delegate/cpu/kernels/pack/pack_args.h"
#include "delegate/cpu/kernels/pool/pool_args.h"
#include "delegate/cpu/kernels/reduce/reduce_args.h"
#include "delegate/cpu/kernels/resize/resize_args.h"
#include "delegate/cpu/kernels/unary/unary_args.h"
#include "delegate/cpu/kernels/winograd/winograd_args.h"

#define MCPRUNER_MICRO_KERNEL(function, Args) void function(const Args& args);
namespace mcpruner {
namespace scalar {
#include "delegate/cpu/kernels/micro_kernels.inc"
}  // namespace scalar
#if defined(__x86_64__)
namespace avx2 {
#include "delegate/cpu/kernels/micro_kernels.inc"
}  // namespace avx2
namespace avx512 {
#include "delegate/cpu/kernels/micro_kernels.inc"
}  // namespace avx512
#elif defined(__aarch64__)
namespace neon {
#include "delegate/cpu/kernels/micro_kernels.inc"
}  // namespace neon
namespace neon_a53 {  // the same set, what is scheduled anew for cores that run in order
void ConvTile(const ConvTileArgs& args);
}  // namespace neon_a53
#endif
#undef MCPRUNER_MICRO_KERNEL

struct MicroKernels {
  const char* target;  // "avx512", ...
  int vector_floats;   // lanes of its widest vector
  int registers;       // vector registers: 16 or 32
#define MCPRUNER_MICRO_KERNEL(function, Args) void (*function)(const Args& args);
#include "delegate/cpu/kernels/micro_kernels.inc"
#undef MCPRUNER_MICRO_KERNEL
  // Where cores are of two kinds, this returns the table for the core that the calling thread is on. It asks the
  // operating system, so a step calls it once in each share. Where it is null, this table is for all cores.
  const MicroKernels& (*OfThisCore)() = nullptr;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MICRO_KERNELS_H_
