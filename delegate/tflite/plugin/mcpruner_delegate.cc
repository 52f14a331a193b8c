#include "delegate/tflite/mcpruner_delegate.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "delegate/tflite/abi/guard.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/plugin/delegate_handle.h"
#include "delegate/tflite/report/log.h"
#include "delegate/tflite/run/delegate.h"

namespace mcpruner {
namespace {

// A DelegateHandle is the C struct that runtimes see, and what keeps its C++ side alive.
struct DelegateHandle {
  TfLiteDelegate delegate = {};
  std::shared_ptr<Delegate> state;
};

TfLiteStatus PrepareDelegate(TfLiteContext* context, TfLiteDelegate* delegate) {
  auto* const state = static_cast<Delegate*>(delegate->data_);
  const Status status = Guard([&] { return state->Prepare(context, delegate); });
  if (status.ok()) return kTfLiteOk;
  state->Forget(context);
  context->ReportError(context, "mcpruner: %s. ", status.text());
  return kTfLiteError;
}

// Copies what fits and returns what is needed, as snprintf does.
size_t CopyOut(const std::string& text, char* buffer, size_t size) {
  if (buffer != nullptr && size > 0) {
    const size_t count = text.size() < size ? text.size() : size - 1;
    std::memcpy(buffer, text.data(), count);
    buffer[count] = '\0';
  }
  return text.size() + 1;
}

Delegate* StateOf(TfLiteDelegate* delegate) {
  // Another delegate's data_ is not ours to read.
  if (delegate == nullptr || delegate->Prepare != PrepareDelegate) return nullptr;
  return static_cast<Delegate*>(delegate->data_);
}

}  // namespace

TfLiteDelegate* MakeDelegate(const Options& options, std::unique_ptr<BackendFactory> factory) {
  auto handle = std::make_unique<DelegateHandle>();
  handle->state = std::make_shared<Delegate>(options, std::move(factory));
  handle->delegate.data_ = handle->state.get();
  handle->delegate.Prepare = PrepareDelegate;
  handle->delegate.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &handle.release()->delegate;
}

void TellLoader(const Status& status, void (*report_error)(const char*)) {
  if (report_error == nullptr) return LogLine(status.text());
  std::string text;
  const Status joined = Guard([&]() -> Status {
    text = "mcpruner: " + status.message() + ". ";
    return Status::Ok();
  });
  report_error(joined.ok() ? text.c_str() : joined.text());
}

}  // namespace mcpruner

TfLiteDelegate* McprunerDelegateCreate(const McprunerDelegateOptions* options) {
  TfLiteDelegate* delegate = nullptr;
  const mcpruner::Status status = mcpruner::Guard([&]() -> mcpruner::Status {
    const auto checked = mcpruner::CheckOptions(options);
    if (!checked.ok()) return checked.status();
    delegate = mcpruner::MakeDelegate(*checked, std::make_unique<mcpruner::BackendFactory>());
    return mcpruner::Status::Ok();
  });
  if (!status.ok()) mcpruner::TellLoader(status, nullptr);
  return delegate;
}

void McprunerDelegateDelete(TfLiteDelegate* delegate) {
  if (mcpruner::StateOf(delegate) == nullptr) return;
  // `delegate` is the first member of its handle.
  delete reinterpret_cast<mcpruner::DelegateHandle*>(delegate);
}

void McprunerDelegateSetProfiling(TfLiteDelegate* delegate, int enabled) {
  mcpruner::Delegate* state = mcpruner::StateOf(delegate);
  if (state == nullptr) return;
  (void)mcpruner::Guard([&]() -> mcpruner::Status {
    state->SetProfiling(enabled != 0);
    return mcpruner::Status::Ok();
  });
}

namespace {

template <typename Write>
size_t WriteJson(TfLiteDelegate* delegate, char* buffer, size_t size, const Write& write) {
  mcpruner::Delegate* state = mcpruner::StateOf(delegate);
  size_t needed = 0;
  (void)mcpruner::Guard([&]() -> mcpruner::Status {
    if (state != nullptr) needed = mcpruner::CopyOut(write(*state), buffer, size);
    return mcpruner::Status::Ok();
  });
  return needed;
}

}  // namespace

size_t McprunerDelegateProfileJson(TfLiteDelegate* delegate, char* buffer, size_t size) {
  return WriteJson(delegate, buffer, size, [](const mcpruner::Delegate& state) { return state.ProfileJson(); });
}

size_t McprunerDelegateReportJson(TfLiteDelegate* delegate, char* buffer, size_t size) {
  return WriteJson(delegate, buffer, size, [](const mcpruner::Delegate& state) { return state.ReportJson(); });
}
