// CreateOpenClBackend: graphs on a GPU (or whatever else OpenCL offers).
//
// A backend opens one device and keeps its programs and weights; its executables have a queue and an arena each.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_
#define MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_

#include <functional>
#include <memory>
#include <string>

#include "delegate/graph/backend.h"
#include "delegate/opencl/plan/precision.h"

namespace mcpruner {

struct OpenClOptions {
  std::string library;  // a libOpenCL to insist on; empty: the first that is found
  Precision precision = Precision::kFloat32;
  std::string cache_dir;  // an existing folder for compiled programs and tuned tiles; empty: none are kept
  double self_check = 0;  // largest error allowed in SelfCheck; 0: the device is not checked
  bool gpu_only = false;  // no other device will do
  bool tune = false;      // measure the tiles of convolutions that cache_dir does not know; needs cache_dir
  std::function<void(const std::string&)> log = [](const std::string&) {};  // what takes long, a line each
  int guard_elements = 0;  // tests: left free behind each slot of an arena, and checked by CheckMemory
};

// The error says why no device can be used.
Result<std::unique_ptr<Backend>> CreateOpenClBackend(const OpenClOptions& options);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_
