// These are the delegate's options, checked. The names are the same here, in the C struct and in the plugin's strings.

#ifndef MCPRUNER_DELEGATE_TFLITE_OPTIONS_OPTIONS_H_
#define MCPRUNER_DELEGATE_TFLITE_OPTIONS_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "delegate/base/status.h"
#include "delegate/cost/cost_table.h"
#include "delegate/opencl/plan/precision.h"
#include "delegate/tflite/mcpruner_delegate.h"

namespace mcpruner {

// With kAuto, the delegate takes the partitions that it runs faster than TFLite (partition.h), and backends.h says
// which backend runs them.
enum class BackendChoice { kAuto, kCpu, kOpenCl, kReference };
// Returns the name that the option uses.
const char* BackendName(BackendChoice backend);

struct Options {
  int num_threads = 0;  // 0: the runtime's recommendation, else 1
  BackendChoice backend = BackendChoice::kAuto;
  int verbosity = 1;
  std::string simd;                           // empty: the best
  Precision precision = Precision::kFloat32;  // of the opencl backend
  std::string opencl_library;                 // empty: the first that is found
  std::string cache_dir;                      // for programs, tiles and measured decisions; empty: none are kept
  bool tune = false;                          // whether to measure tiles that cache_dir does not have
  bool packs_at_load = true;                  // layers with zeros, of files that were not converted
  cost::CostTable costs;                      // that predictions are made by
  std::optional<float> poison_memory;         // written over working memory before each inference
};

// Returns how many threads the cpu backend has in a runtime that recommends so many (-1: it does not know).
int NumThreads(const Options& options, int recommended_num_threads);

// Checks the C struct of a caller of any version. Null members are absent, and a null struct is the default. The error
// is a sentence that lists what is valid.
Result<Options> CheckOptions(const McprunerDelegateOptions* struct_of_caller);

// Checks the plugin's strings (mcpruner_delegate.h documents each key).
Result<Options> ParseOptions(const char* const* keys, const char* const* values, size_t count);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_OPTIONS_OPTIONS_H_
