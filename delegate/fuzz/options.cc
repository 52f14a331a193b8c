// This target tests the plugin's options: any texts are options within their bounds, or an error.
//
//     KEY \n VALUE \n KEY \n VALUE ...        a text "null" is a null pointer

#include "delegate/tflite/options/options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/fuzz/fuzz.h"

namespace mcpruner {
namespace {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

void Parse(const std::string& text) {
  const std::vector<std::string> lines = Lines(text);
  std::vector<const char*> keys, values;
  for (size_t i = 0; i + 1 < lines.size(); i += 2) {
    keys.push_back(lines[i] == "null" ? nullptr : lines[i].c_str());
    values.push_back(lines[i + 1] == "null" ? nullptr : lines[i + 1].c_str());
  }
  const Result<Options> options = ParseOptions(keys.data(), values.data(), keys.size());
  if (!options.ok()) {
    Check(options.message().rfind("option ", 0) == 0 || options.message().rfind("there is no option '", 0) == 0,
          "an error names the option: " + options.message());
    return;
  }
  Check(options->num_threads >= 0 && options->num_threads <= kMaxThreads, "threads are in bounds");
  Check(options->verbosity >= 0 && options->verbosity <= 2, "verbosity is in bounds");
  Check(!options->tune || !options->cache_dir.empty(), "what is tuned is kept");
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::Parse(std::string(data, data + size));
  return 0;
}
