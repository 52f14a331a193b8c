// CreateOpenClBackend makes the backend that runs graphs on a GPU, or on whatever else OpenCL offers.
//
// A backend opens one device and keeps its programs and weights; each of its executables has a queue and an arena.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_
#define MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_

#include <functional>
#include <memory>
#include <string>

#include "delegate/graph/backend.h"
#include "delegate/opencl/plan/precision.h"

namespace mcpruner {

struct OpenClOptions {
  std::string library;  // a libOpenCL to insist on; if empty, the first that is found
  Precision precision = Precision::kFloat32;
  std::string cache_dir;  // an existing folder for compiled programs and tuned tiles; if empty, none are kept
  double self_check = 0;  // the largest error that SelfCheck allows; 0: the device is not checked
  bool gpu_only = false;  // whether only a GPU will do
  bool tune = false;      // whether to measure tiles of convolutions that cache_dir does not have; needs cache_dir
  std::function<void(const std::string&)> log = [](const std::string&) {};  // told what takes long, a line each
  int guard_elements = 0;  // for tests: elements left free behind each slot of an arena, which CheckMemory checks
};

// The error says why no device can be used.
Result<std::unique_ptr<Backend>> CreateOpenClBackend(const OpenClOptions& options);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_OPENCL_BACKEND_H_
