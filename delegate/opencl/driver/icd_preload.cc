#include "delegate/opencl/driver/icd_preload.h"

#include <cstdlib>  // defines __GLIBC__ where there is one

#if defined(__GLIBC__)
#include <dlfcn.h>
#include <glob.h>

#include <cstdio>
#include <memory>
#include <string>

namespace mcpruner::opencl {
namespace {

// The first line of an .icd file names the driver's library.
std::string LibraryOf(const char* path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "r"), std::fclose);
  char line[512] = "";
  if (file == nullptr || std::fgets(line, sizeof line, file.get()) == nullptr) return "";
  const std::string text = line;
  return text.substr(0, text.find_last_not_of(" \r\n") + 1);
}

}  // namespace

void PreloadDrivers() {
  int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
  // The flag is set only if LLVM is there already, since sanitizers forbid RTLD_DEEPBIND.
  if (dlsym(RTLD_DEFAULT, "LLVMContextCreate") != nullptr) flags |= RTLD_DEEPBIND;
  const char* const vendors = std::getenv("OCL_ICD_VENDORS");  // as the loader reads it
  const std::string folder = vendors != nullptr ? vendors : "/etc/OpenCL/vendors";
  glob_t found{};
  if (glob((folder + "/*.icd").c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      const std::string library = LibraryOf(found.gl_pathv[i]);
      // A driver that cannot be loaded is left for the loader to skip.
      if (!library.empty()) dlopen(library.c_str(), flags);
    }
  }
  globfree(&found);
}

}  // namespace mcpruner::opencl
#else
namespace mcpruner::opencl {

void PreloadDrivers() {}

}  // namespace mcpruner::opencl
#endif
