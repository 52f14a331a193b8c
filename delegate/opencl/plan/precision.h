// The precision says how numbers are kept and computed with on the device.
//
//     precision         tensors and weights   products and sums
//     float32           binary32              binary32
//     float16_storage   binary16              binary32: half of the memory traffic, on every device
//     float16           binary16              binary16 in convolutions, in sums of at most 32 products, which are added
//                                             up in binary32: twice the rate where the device has cl_khr_fp16

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_PRECISION_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_PRECISION_H_

#include <cstdint>

namespace mcpruner {

enum class Precision { kFloat32, kFloat16Storage, kFloat16 };

inline int64_t ElementBytes(Precision precision) { return precision == Precision::kFloat32 ? 4 : 2; }

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_PRECISION_H_
