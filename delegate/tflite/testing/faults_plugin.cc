// This is the plugin with one option more, `fault`, which says what fails in it (faulty_backends.h). It lets tests see
// from each runtime what becomes of a failure, and is never shipped.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/abi/guard.h"
#include "delegate/tflite/mcpruner_delegate.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/plugin/delegate_handle.h"
#include "delegate/tflite/testing/faulty_backends.h"

namespace mcpruner {
namespace {

Result<TfLiteDelegate*> Make(const char* const* keys, const char* const* values, size_t count) {
  std::string fault = "none";
  std::vector<const char*> other_keys, other_values;
  const auto text = [](const char* const* texts, size_t i) { return texts != nullptr ? texts[i] : nullptr; };
  for (size_t i = 0; i < count; ++i) {
    const char *const key = text(keys, i), *const value = text(values, i);
    if (key != nullptr && value != nullptr && key == std::string("fault")) {
      fault = value;
    } else {  // ParseOptions refuses null
      other_keys.push_back(key);
      other_values.push_back(value);
    }
  }
  const Result<Options> options = ParseOptions(other_keys.data(), other_values.data(), other_keys.size());
  if (!options.ok()) return options.status();
  Result<std::unique_ptr<BackendFactory>> backends = MakeFaultyBackends(fault);
  if (!backends.ok()) return backends.status();
  return MakeDelegate(*options, std::move(*backends));
}

}  // namespace
}  // namespace mcpruner

extern "C" {

MCPRUNER_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* options_keys,
                                                              const char* const* options_values, size_t num_options,
                                                              void (*report_error)(const char*)) {
  TfLiteDelegate* delegate = nullptr;
  const mcpruner::Status status = mcpruner::Guard([&]() -> mcpruner::Status {
    const auto made = mcpruner::Make(options_keys, options_values, num_options);
    if (made.ok()) delegate = *made;
    return made.status();
  });
  if (!status.ok()) mcpruner::TellLoader(status, report_error);
  return delegate;
}

MCPRUNER_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { McprunerDelegateDelete(delegate); }

}  // extern "C"
