// The library contains the .cl files of all rooms; the genrule in this folder's BUILD puts them there.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_

namespace mcpruner {

// Returns the text of the file of this name, such as "conv.cl" or "args.h", or null if there is no such file.
const char* KernelSource(const char* name);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_
