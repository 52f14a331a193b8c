// This keeps OpenCL drivers apart from another copy of LLVM in the process.
//
// TensorFlow exports LLVM's symbols to the whole process. A driver that links LLVM (PoCL, Mesa) would bind to those of
// another version and crash. So the drivers that OpenCL's loader is going to load are loaded before it, with their own
// symbols first and all of them bound at once; what is imported later does not change them any more.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_ICD_PRELOAD_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_ICD_PRELOAD_H_

namespace mcpruner::opencl {

// This must happen before libOpenCL is asked for platforms. Nothing happens where there is no list of drivers
// (Android).
void PreloadDrivers();

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_ICD_PRELOAD_H_
