// Makes the C struct that a runtime is handed; McprunerDelegateDelete unmakes it.

#ifndef MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_
#define MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_

#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/options/options.h"

namespace mcpruner {

// Never null; throws std::bad_alloc.
TfLiteDelegate* MakeDelegate(const Options& options);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PLUGIN_DELEGATE_HANDLE_H_
