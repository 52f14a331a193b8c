#include "python/native/plugin_calls.h"

#include <dlfcn.h>

#include <memory>

#include "delegate/tflite/mcpruner_delegate.h"

namespace mcpruner {
namespace {

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

std::string LastError() {
  const char* error = dlerror();
  return error != nullptr ? error : "no reason given";
}

Result<Library> Open(const std::string& path, uintptr_t delegate) {
  if (delegate == 0) return Status::Error("expected the address of a delegate, got 0");
  Library library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) return Status::Error("cannot load the plugin: " + LastError());
  return library;
}

template <typename Function>
Result<Function*> Find(const Library& library, const char* name) {
  void* symbol = dlsym(library.get(), name);
  if (symbol == nullptr) return Status::Error("this is no mcpruner plugin: " + LastError());
  return reinterpret_cast<Function*>(symbol);
}

Result<std::string> ReadJson(const std::string& path, uintptr_t delegate, const char* name) {
  const Result<Library> library = Open(path, delegate);
  if (!library.ok()) return library.status();
  const auto function = Find<decltype(McprunerDelegateReportJson)>(*library, name);
  if (!function.ok()) return function.status();
  auto* handle = reinterpret_cast<TfLiteDelegate*>(delegate);
  std::string text;
  // The text may grow between the calls, while another thread runs the interpreter.
  for (size_t needed = (*function)(handle, nullptr, 0); needed > text.size();) {
    text.resize(needed);
    needed = (*function)(handle, text.data(), text.size());
  }
  if (text.empty()) return Status::Error("the delegate is not one that " + path + " made");
  text.resize(text.find('\0'));
  return text;
}

}  // namespace

Result<std::string> PluginProfile(const std::string& library_path, uintptr_t delegate) {
  return ReadJson(library_path, delegate, "McprunerDelegateProfileJson");
}

Result<std::string> PluginReport(const std::string& library_path, uintptr_t delegate) {
  return ReadJson(library_path, delegate, "McprunerDelegateReportJson");
}

Status PluginSetProfiling(const std::string& library_path, uintptr_t delegate, bool enabled) {
  const Result<Library> library = Open(library_path, delegate);
  if (!library.ok()) return library.status();
  const auto function = Find<decltype(McprunerDelegateSetProfiling)>(*library, "McprunerDelegateSetProfiling");
  if (!function.ok()) return function.status();
  (*function)(reinterpret_cast<TfLiteDelegate*>(delegate), enabled ? 1 : 0);
  return Status::Ok();
}

}  // namespace mcpruner
