// Programs builds micro-kernels from the embedded sources when they are first asked for.
//
//     "conv.cl" + {PIXELS 4, SPLIT 1} --> source: args.h, common.cl, conv.cl   options: -DPIXELS=4 -DSPLIT=1 ...
//                                     --> one program, kept, and on disk too where there is a folder (DiskCache);
//                                         an OpenCL kernel object of its own for each launch
//
// Sources are never put together from strings: what differs between two programs is in their macros.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_PROGRAMS_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_PROGRAMS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/driver/device.h"
#include "delegate/opencl/driver/disk_cache.h"

namespace mcpruner::opencl {

// These are the macros of a program, in order.
using Defines = std::vector<std::pair<std::string, std::string>>;

class Programs {
 public:
  // `common` has the macros of every program.
  Programs(std::shared_ptr<const Device> device, Defines common, DiskCache cache)
      : device_(std::move(device)), common_(std::move(common)), cache_(std::move(cache)) {}

  // Makes a new OpenCL kernel object. Several threads may call this at once; their programs are built side by side. The
  // error of a build quotes the compiler's first lines.
  Result<ClKernel> MakeKernel(const std::string& file, const std::string& kernel, const Defines& defines);

 private:
  // An Entry is a program, or why there is none. Whoever asks first builds it, and others wait for that.
  struct Entry {
    std::once_flag once;
    Result<ClProgram> program = Status::Error("not built");
  };

  const Result<ClProgram>& Get(const std::string& file, const std::string& options);
  Result<ClProgram> Build(const std::string& file, const std::string& options) const;
  // Returns null where the cache has no binary that the driver takes.
  ClProgram FromCache(const std::string& key, const std::string& options) const;
  void ToCache(const std::string& key, cl_program program) const;

  const std::shared_ptr<const Device> device_;
  const Defines common_;
  const DiskCache cache_;
  std::mutex mutex_;                                               // guards the map, not its entries
  std::map<std::pair<std::string, std::string>, Entry> programs_;  // by file and options
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_PROGRAMS_H_
