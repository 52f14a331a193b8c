#include "delegate/tflite/testing/faulty_backends.h"

#include <new>
#include <stdexcept>
#include <utility>

#include "delegate/graph/testing/faulty_backend.h"
#include "delegate/tflite/options/options.h"

namespace mcpruner {
namespace {

constexpr const char* kFaults[] = {"none",       "opencl_create", "opencl_wrong", "opencl_compile", "opencl_run",
                                   "cpu_create", "cpu_compile",   "allocate",     "invoke"};

class FaultyBackends : public BackendFactory {
 public:
  FaultyBackends(std::string fault, std::unique_ptr<BackendFactory> good)
      : fault_(std::move(fault)), good_(std::move(good)) {}

  Result<std::unique_ptr<Backend>> Cpu(const CpuOptions& options) override {
    if (fault_ == "cpu_create") return Injected();
    return Wrap(BackendChoice::kCpu, good_->Cpu(options));
  }

  Result<std::unique_ptr<Backend>> OpenCl(const OpenClOptions& options) override {
    if (fault_ == "opencl_create") return Injected();
    OpenClOptions changed = options;
    if (fault_ == "opencl_wrong") changed.self_check = -1;  // no error is as small
    return Wrap(BackendChoice::kOpenCl, good_->OpenCl(changed));
  }

  std::unique_ptr<Backend> Reference() override {
    return std::make_unique<FaultyBackend>(good_->Reference(), FaultsOf(BackendChoice::kReference));
  }

 private:
  Status Injected() const { return Status::Error("fault injection: " + fault_); }

  BackendFaults FaultsOf(BackendChoice choice) const {
    const std::string name = BackendName(choice);
    BackendFaults faults;
    if (fault_ == name + "_compile") faults.compile = [error = Injected()] { return error; };
    if (fault_ == name + "_run") faults.run = [error = Injected()](Span<float* const>) { return error; };
    if (fault_ == "allocate") faults.compile = []() -> Status { throw std::bad_alloc(); };
    if (fault_ == "invoke") {
      faults.run = [text = Injected().message()](Span<float* const>) -> Status { throw std::runtime_error(text); };
    }
    return faults;
  }

  Result<std::unique_ptr<Backend>> Wrap(BackendChoice choice, Result<std::unique_ptr<Backend>> made) const {
    if (!made.ok()) return made;
    return std::unique_ptr<Backend>(std::make_unique<FaultyBackend>(std::move(*made), FaultsOf(choice)));
  }

  const std::string fault_;
  const std::unique_ptr<BackendFactory> good_;
};

}  // namespace

Result<std::unique_ptr<BackendFactory>> MakeFaultyBackends(const std::string& fault,
                                                           std::unique_ptr<BackendFactory> good) {
  std::string names;
  for (const char* const name : kFaults) {
    if (fault == name) return std::unique_ptr<BackendFactory>(std::make_unique<FaultyBackends>(fault, std::move(good)));
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return Status::Error("option fault: expected one of " + names + ", got '" + fault + "'");
}

}  // namespace mcpruner
