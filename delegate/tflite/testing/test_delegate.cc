#include "delegate/tflite/testing/test_delegate.h"

#include <utility>

#include "delegate/tflite/plugin/delegate_handle.h"
#include "delegate/tflite/testing/faulty_backends.h"

namespace mcpruner {
namespace {

McprunerDelegateOptions SilentOptions(const char* backend, int num_threads) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  options.verbosity = 0;
  options.backend = backend;
  options.num_threads = num_threads;
  return options;
}

}  // namespace

DelegatePtr MakeTestDelegate(const char* backend, int num_threads) {
  const McprunerDelegateOptions options = SilentOptions(backend, num_threads);
  return DelegatePtr(McprunerDelegateCreate(&options));
}

DelegatePtr MakeFaultyDelegate(const std::string& fault, const char* backend) {
  const McprunerDelegateOptions silent = SilentOptions(backend, 0);
  const Result<Options> options = CheckOptions(&silent);
  Result<std::unique_ptr<BackendFactory>> backends = MakeFaultyBackends(fault);
  if (!options.ok() || !backends.ok()) return nullptr;
  return DelegatePtr(MakeDelegate(*options, std::move(*backends)));
}

}  // namespace mcpruner
