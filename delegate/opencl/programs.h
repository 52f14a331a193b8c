// Kernels, built from the embedded sources when they are first asked for.
//
//     "conv.cl" + {PIXELS 4, SPLIT 1} --> source: args.h, common.cl, conv.cl   options: -DPIXELS=4 -DSPLIT=1 ...
//                                     --> one program, kept; a kernel object of its own for each launch
//
// Sources are never put together from strings: what differs between two programs is in their macros.

#ifndef MCPRUNER_DELEGATE_OPENCL_PROGRAMS_H_
#define MCPRUNER_DELEGATE_OPENCL_PROGRAMS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/device.h"

namespace mcpruner::opencl {

// Macros of a program, in order.
using Defines = std::vector<std::pair<std::string, std::string>>;

class Programs {
 public:
  // `common`: macros of every program.
  Programs(std::shared_ptr<const Device> device, Defines common)
      : device_(std::move(device)), common_(std::move(common)) {}

  // A new kernel object. The error of a build quotes the compiler's first lines.
  Result<ClKernel> MakeKernel(const std::string& file, const std::string& kernel, const Defines& defines);

 private:
  Result<cl_program> Get(const std::string& file, const std::string& options);
  Result<ClProgram> Build(const std::string& file, const std::string& options) const;

  const std::shared_ptr<const Device> device_;
  const Defines common_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, ClProgram> programs_;  // by file and options
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PROGRAMS_H_
