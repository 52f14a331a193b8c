// The .cl files of all rooms, put into the library when it is built (the genrule in this folder's BUILD).

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_

namespace mcpruner {

// The text of the file of this name, such as "conv.cl" or "args.h"; null for a name that is not there.
const char* KernelSource(const char* name);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_KERNEL_SOURCES_H_
