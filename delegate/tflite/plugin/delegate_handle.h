// Both ways of making a delegate, the C API and the plugin's entry point, share this: the C struct that a runtime is
// handed, which McprunerDelegateDelete unmakes, and the sentence where there is none.

#ifndef MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_
#define MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_

#include <memory>

#include "delegate/base/status.h"
#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/run/backend_factory.h"

namespace mcpruner {

// Returns the delegate; it is never null. This may throw std::bad_alloc.
TfLiteDelegate* MakeDelegate(const Options& options, std::unique_ptr<BackendFactory> factory);

// Tells why there is no delegate: to a loader's `report_error`, or to stderr where it is null, as C++ loaders pass it.
void TellLoader(const Status& status, void (*report_error)(const char*));

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_
