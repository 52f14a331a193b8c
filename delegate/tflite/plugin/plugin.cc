// This is the TFLite external delegate: the two symbols that every runtime's loader looks for.

#include <cstddef>
#include <memory>

#include "delegate/tflite/abi/guard.h"
#include "delegate/tflite/mcpruner_delegate.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/plugin/delegate_handle.h"

extern "C" {

// These options come as strings. They are those of McprunerDelegateOptions (mcpruner_delegate.h):
//   num_threads  1..64; 0 (default): what the runtime recommends, else 1
//   backend      auto (default), cpu, opencl, reference
//   verbosity    0 silent, 1 (default) a line for each model and each reason for which layers are left, 2 for each node
//   simd         an instruction set of this CPU
//   precision    float32 (default), float16_storage, float16: of the opencl backend
//   opencl_library  a path or name for dlopen
//   cache_dir       an existing folder for what `mcpruner tune` measured, and for programs of the opencl backend
//   tune            1: measure the tiles that cache_dir does not know; 0 (default)
//   poison_memory   a number (nan, 1e30) written over all working memory before each inference, for tests
// For any other name or value, NULL is returned and report_error gets a sentence. Where report_error is NULL, as C++
// loaders pass it, the sentence goes to stderr.
MCPRUNER_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* options_keys,
                                                              const char* const* options_values, size_t num_options,
                                                              void (*report_error)(const char*)) {
  TfLiteDelegate* delegate = nullptr;
  const mcpruner::Status status = mcpruner::Guard([&]() -> mcpruner::Status {
    const auto options = mcpruner::ParseOptions(options_keys, options_values, num_options);
    if (!options.ok()) return options.status();
    delegate = mcpruner::MakeDelegate(*options, std::make_unique<mcpruner::BackendFactory>());
    return mcpruner::Status::Ok();
  });
  if (!status.ok()) mcpruner::TellLoader(status, report_error);
  return delegate;
}

MCPRUNER_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { McprunerDelegateDelete(delegate); }

}  // extern "C"
