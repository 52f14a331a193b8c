#include "delegate/opencl/driver/api.h"

#include <dlfcn.h>

#include <vector>

#include "delegate/opencl/driver/icd_preload.h"

namespace mcpruner::opencl {
namespace {

// These are the name on Linux, Android's plain name, the name on Pixels, and where Mali's and Adreno's drivers stand
// without a link.
constexpr const char* kLibraries[] = {
    "libOpenCL.so.1",
    "libOpenCL.so",
    "libOpenCL-pixel.so",
    "libOpenCL-car.so",
#if defined(__LP64__)
    "/system/vendor/lib64/libOpenCL.so",
    "/vendor/lib64/libOpenCL.so",
    "/system/lib64/libOpenCL.so",
    "/system/vendor/lib64/egl/libGLES_mali.so",
    "/vendor/lib64/egl/libGLES_mali.so",
#else
    "/system/vendor/lib/libOpenCL.so",
    "/vendor/lib/libOpenCL.so",
    "/system/lib/libOpenCL.so",
    "/system/vendor/lib/egl/libGLES_mali.so",
    "/vendor/lib/egl/libGLES_mali.so",
#endif
};

template <typename Function>
void Find(void* library, const char* name, Function* function, std::string* missing) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) *missing += (missing->empty() ? "" : ", ") + std::string(name);
}

Result<OpenClApi> LoadFrom(const char* name) {
  void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* const reason = dlerror();
    return Status::Error(reason != nullptr ? reason : std::string(name) + ": cannot be loaded");
  }
  OpenClApi api;
  api.library = name;
  std::string missing;
#define MCPRUNER_CL(function) Find(library, #function, &api.function, &missing);
#include "delegate/opencl/driver/functions.inc"
#undef MCPRUNER_CL
  if (missing.empty()) return api;
  return Status::Error(std::string(name) + ": not an OpenCL 1.2 library, it lacks " + missing);
}

}  // namespace

Result<OpenClApi> LoadOpenCl(const std::string& library) {
  PreloadDrivers();
  if (!library.empty()) {
    Result<OpenClApi> api = LoadFrom(library.c_str());
    if (api.ok()) return api;
    return Status::Error("option opencl_library: expected a library with OpenCL 1.2 (" + api.message() + ")");
  }
  std::string attempts;
  for (const char* name : kLibraries) {
    Result<OpenClApi> api = LoadFrom(name);
    if (api.ok()) return api;
    attempts += (attempts.empty() ? "" : "; ") + api.message();
  }
  return Status::Error("no OpenCL library was found, install a driver or name it in option opencl_library (" +
                       attempts + ")");
}

std::string ClErrorName(cl_int error) {
  switch (error) {
#define MCPRUNER_CL_ERROR(name) \
  case name:                    \
    return #name;
#include "delegate/opencl/driver/errors.inc"
#undef MCPRUNER_CL_ERROR
  }
  return "OpenCL error " + std::to_string(error);
}

Status ClStatus(cl_int error, const std::string& action) {
  return error == CL_SUCCESS ? Status::Ok() : Status::Error(action + " failed: " + ClErrorName(error));
}

}  // namespace mcpruner::opencl
