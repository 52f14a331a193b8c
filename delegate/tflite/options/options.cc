#include "delegate/tflite/options/options.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>

#include "delegate/cost/read_table.h"
#include "delegate/cpu/cpu_backend.h"
#include "delegate/tflite/options/versioned_struct.h"

namespace mcpruner {
namespace {

// The first version ended with poison_memory.
constexpr size_t kFirstVersion =
    offsetof(McprunerDelegateOptions, poison_memory) + sizeof(McprunerDelegateOptions::poison_memory);
static_assert(kFirstVersion == offsetof(McprunerDelegateOptions, costs), "this must not lie in that one's padding");

template <typename T>
struct Choice {
  const char* name;
  T value;
};
constexpr Choice<BackendChoice> kBackends[] = {{"auto", BackendChoice::kAuto},
                                               {"cpu", BackendChoice::kCpu},
                                               {"opencl", BackendChoice::kOpenCl},
                                               {"reference", BackendChoice::kReference}};
constexpr Choice<Precision> kPrecisions[] = {{"float32", Precision::kFloat32},
                                             {"float16_storage", Precision::kFloat16Storage},
                                             {"float16", Precision::kFloat16}};

constexpr Choice<bool> kPack[] = {{"auto", true}, {"never", false}};

template <typename T, size_t N>
Status Choose(const char* option, const char* value, const Choice<T> (&choices)[N], T* out) {
  std::string names;
  for (const Choice<T>& choice : choices) {
    if (choice.name == std::string(value)) {
      *out = choice.value;
      return Status::Ok();
    }
    names += (names.empty() ? "" : ", ") + std::string(choice.name);
  }
  return Status::Error("option " + std::string(option) + ": expected one of " + names + ", got '" + value + "'");
}

// The C library's functions skip spaces and take a plus sign, which no option has.
bool BeginsPlainly(const char* text) { return *text != '+' && std::isspace(static_cast<unsigned char>(*text)) == 0; }

Result<int32_t> ParseNumber(const char* option, const char* text) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text, &end, 10);
  if (!BeginsPlainly(text) || end == text || *end != '\0' || errno != 0 || value < INT32_MIN || value > INT32_MAX) {
    return Status::Error("option " + std::string(option) + ": expected a whole number, got '" + text + "'");
  }
  return static_cast<int32_t>(value);
}

// A TextOption is an option whose value is a text.
struct TextOption {
  const char* name;
  const char* McprunerDelegateOptions::* member;
};
constexpr TextOption kTextOptions[] = {
    {"backend", &McprunerDelegateOptions::backend},     {"simd", &McprunerDelegateOptions::simd},
    {"precision", &McprunerDelegateOptions::precision}, {"opencl_library", &McprunerDelegateOptions::opencl_library},
    {"cache_dir", &McprunerDelegateOptions::cache_dir}, {"poison_memory", &McprunerDelegateOptions::poison_memory},
    {"costs", &McprunerDelegateOptions::costs},         {"pack", &McprunerDelegateOptions::pack}};

Status ParseOption(const std::string& key, const char* value, McprunerDelegateOptions* out) {
  for (const TextOption& option : kTextOptions) {
    if (key != option.name) continue;
    out->*option.member = value;
    return Status::Ok();
  }
  if (key != "num_threads" && key != "verbosity" && key != "tune") {
    return Status::Error("there is no option '" + key +
                         "'; the options are num_threads, backend, verbosity, simd, precision, opencl_library, "
                         "cache_dir, tune, poison_memory, costs, pack");
  }
  const Result<int32_t> number = ParseNumber(key.c_str(), value);
  if (!number.ok()) return number.status();
  (key == "verbosity" ? out->verbosity : key == "tune" ? out->tune : out->num_threads) = *number;
  return Status::Ok();
}

Status ChooseSimd(const std::string& name, std::string* out) {
  std::string names;
  for (const std::string& target : CpuSimdTargets()) {
    if (target == name) {
      *out = name;
      return Status::Ok();
    }
    names += (names.empty() ? "" : ", ") + target;
  }
  return Status::Error("option simd: expected one of " + names + " (what this CPU has), got '" + name + "'");
}

Status ParsePoison(const char* text, std::optional<float>* out) {
  char* end = nullptr;
  *out = std::strtof(text, &end);
  if (BeginsPlainly(text) && end != text && *end == '\0') return Status::Ok();
  return Status::Error("option poison_memory: expected a number such as nan or 1e30, got '" + std::string(text) + "'");
}

Status CheckFolder(const std::string& folder, std::string* out) {
  struct stat status;
  const bool folder_is_there = stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (!folder_is_there || access(folder.c_str(), W_OK) != 0) {
    return Status::Error("option cache_dir: expected an existing folder that can be written to, got '" + folder + "'");
  }
  *out = folder;
  return Status::Ok();
}

Status ReadCosts(const char* file, const std::string& simd, cost::CostTable* out) {
  Result<cost::CostTable> table = file != nullptr ? cost::ReadCostTable(file) : cost::ShippedCostTable(simd);
  if (!table.ok()) return Status::Error("option costs: " + table.message());
  *out = std::move(*table);
  return Status::Ok();
}

}  // namespace

const char* BackendName(BackendChoice backend) { return kBackends[static_cast<size_t>(backend)].name; }

int NumThreads(const Options& options, int recommended_num_threads) {
  return options.num_threads > 0 ? options.num_threads : std::clamp(recommended_num_threads, 1, kMaxThreads);
}

Result<Options> CheckOptions(const McprunerDelegateOptions* struct_of_caller) {
  Result<McprunerDelegateOptions> read = McprunerDelegateOptionsDefault();
  if (struct_of_caller != nullptr) read = ReadVersionedStruct(struct_of_caller, kFirstVersion, *read);
  if (!read.ok()) return read.status();
  const McprunerDelegateOptions& options = *read;
  Options out;
  if (options.num_threads < 0 || options.num_threads > kMaxThreads) {
    return Status::Error("option num_threads: expected 1 to " + std::to_string(kMaxThreads) +
                         ", or 0 for what the runtime recommends, got " + std::to_string(options.num_threads));
  }
  if (options.verbosity < 0 || options.verbosity > 2) {
    return Status::Error("option verbosity: expected 0, 1 or 2, got " + std::to_string(options.verbosity));
  }
  out.num_threads = options.num_threads;
  out.verbosity = options.verbosity;
  if (options.backend != nullptr) {
    MCPRUNER_RETURN_IF_ERROR(Choose("backend", options.backend, kBackends, &out.backend));
  }
  if (options.simd != nullptr) MCPRUNER_RETURN_IF_ERROR(ChooseSimd(options.simd, &out.simd));
  if (options.precision != nullptr) {
    MCPRUNER_RETURN_IF_ERROR(Choose("precision", options.precision, kPrecisions, &out.precision));
  }
  if (options.pack != nullptr) MCPRUNER_RETURN_IF_ERROR(Choose("pack", options.pack, kPack, &out.packs_at_load));
  if (options.opencl_library != nullptr) {
    out.opencl_library = options.opencl_library;
    if (out.opencl_library.empty()) return Status::Error("option opencl_library: expected a path or a name, got ''");
  }
  if (options.cache_dir != nullptr) MCPRUNER_RETURN_IF_ERROR(CheckFolder(options.cache_dir, &out.cache_dir));
  if (options.tune != 0 && (options.tune != 1 || out.cache_dir.empty())) {
    return Status::Error("option tune: expected 0, or 1 beside a cache_dir that keeps what is measured, got " +
                         std::to_string(options.tune) + (out.cache_dir.empty() ? " and no cache_dir" : ""));
  }
  out.tune = options.tune != 0;
  if (options.poison_memory != nullptr) {
    MCPRUNER_RETURN_IF_ERROR(ParsePoison(options.poison_memory, &out.poison_memory));
  }
  const std::string simd = out.simd.empty() ? CpuSimdTargets().front() : out.simd;
  MCPRUNER_RETURN_IF_ERROR(ReadCosts(options.costs, simd, &out.costs));
  return out;
}

Result<Options> ParseOptions(const char* const* keys, const char* const* values, size_t count) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  for (size_t i = 0; i < count; ++i) {
    if (keys == nullptr || values == nullptr || keys[i] == nullptr || values[i] == nullptr) {
      return Status::Error("option " + std::to_string(i) + " has no name or no value");
    }
    MCPRUNER_RETURN_IF_ERROR(ParseOption(keys[i], values[i], &options));
  }
  return CheckOptions(&options);
}

}  // namespace mcpruner
