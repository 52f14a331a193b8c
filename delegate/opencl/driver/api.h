// This finds libOpenCL when it is asked for, since the plugin must load where there is none.
//
//     option opencl_library, or a name in a list --dlopen--> OpenClApi: one function pointer for each name of
//                                                            functions.inc
//
// Nothing is linked. Vendors of Android phones put the library under names and into folders of their own, so a list is
// tried in order. A library stays loaded until the process ends: drivers leave threads behind that would crash
// otherwise.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_API_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_API_H_

#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include <string>

#include "delegate/base/status.h"

namespace mcpruner::opencl {

struct OpenClApi {
#define MCPRUNER_CL(name) decltype(&::name) name = nullptr;
#include "delegate/opencl/driver/functions.inc"
#undef MCPRUNER_CL
  std::string library;  // the name it was found by
};

// `library` is a path or name to insist on; if it is empty, the first of the known names that loads is taken. The error
// says what was tried and what each attempt said.
Result<OpenClApi> LoadOpenCl(const std::string& library);

// Returns "CL_OUT_OF_RESOURCES" for -5, and "OpenCL error -1234" for what OpenCL 1.2 does not name.
std::string ClErrorName(cl_int error);

// Returns Ok for CL_SUCCESS, else "`action` failed: CL_OUT_OF_RESOURCES".
Status ClStatus(cl_int error, const std::string& action);
// This makes a string of the action only when there is an error, since an inference allocates nothing.
inline Status ClStatus(cl_int error, const char* action) {
  return error == CL_SUCCESS ? Status::Ok() : ClStatus(error, std::string(action));
}

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_API_H_
