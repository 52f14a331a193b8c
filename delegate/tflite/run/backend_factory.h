// A BackendFactory makes the backends that a delegate may run on. Tests hand the delegate another one, whose backends
// fail (testing/faulty_backends.h), so that nothing in the product knows of faults.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_BACKEND_FACTORY_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_BACKEND_FACTORY_H_

#include <memory>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/backend.h"
#include "delegate/opencl/opencl_backend.h"

namespace mcpruner {

class BackendFactory {
 public:
  virtual ~BackendFactory() = default;
  // The error says why there is none.
  virtual Result<std::unique_ptr<Backend>> Cpu(const CpuOptions& options) { return CreateCpuBackend(options); }
  virtual Result<std::unique_ptr<Backend>> OpenCl(const OpenClOptions& options) { return CreateOpenClBackend(options); }
  // This is left where the others fail: it can always be made.
  virtual std::unique_ptr<Backend> Reference() { return CreateReferenceBackend(); }
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_BACKEND_FACTORY_H_
