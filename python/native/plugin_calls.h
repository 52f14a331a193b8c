// These call a plugin that a runtime has loaded, through the C API of delegate/tflite/mcpruner_delegate.h, by name.
//
// The delegate lives in the plugin's own copy of the code, so profiles and reports must be asked for there. Loading it
// again by the same path gives the same library.

#ifndef MCPRUNER_PYTHON_NATIVE_PLUGIN_CALLS_H_
#define MCPRUNER_PYTHON_NATIVE_PLUGIN_CALLS_H_

#include <cstdint>
#include <string>

#include "delegate/base/status.h"

namespace mcpruner {

// Both texts are JSON. `delegate` is the address of a TfLiteDelegate that `library_path` made.
Result<std::string> PluginProfile(const std::string& library_path, uintptr_t delegate);
Result<std::string> PluginReport(const std::string& library_path, uintptr_t delegate);
Status PluginSetProfiling(const std::string& library_path, uintptr_t delegate, bool enabled);

}  // namespace mcpruner

#endif  // MCPRUNER_PYTHON_NATIVE_PLUGIN_CALLS_H_
