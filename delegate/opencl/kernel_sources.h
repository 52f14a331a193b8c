// The .cl files of kernels/, put into the library when it is built (the genrule in BUILD).

#ifndef MCPRUNER_DELEGATE_OPENCL_KERNEL_SOURCES_H_
#define MCPRUNER_DELEGATE_OPENCL_KERNEL_SOURCES_H_

namespace mcpruner {

// The text of kernels/`name`, such as "conv.cl" or "args.h"; null for a name that is not there.
const char* KernelSource(const char* name);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_KERNEL_SOURCES_H_
