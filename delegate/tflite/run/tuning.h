// A Tuning has what `mcpruner tune` measured on this machine, which backend auto follows before what it predicts.
//
//     <cache_dir>/mcpruner-<hash of the machine>.bin      a file of the DiskCache (opencl/driver/disk_cache.h)
//
//       key      the machine: this layout's version, the plugin's, instruction set, processor, number of threads
//       value    [partition 16][TFLite's ns 8][the plugin's ns 8][date 4][take 4] ...          numbers little-endian
//
//     partition    its key (parse/partition_key.h); also that of all nodes of a model without packed layers, which are
//                  looked at where `take` is 1
//     ns           of one inference of the model, without the partition and with it alone
//     date         as a decimal number, 20261201
//     take         1, or 0 where it is left
//
// Only `mcpruner tune` writes such files (python/mcpruner/tuning_file.py). It knows their names and the keys from the
// report. Another machine has another file. One that is cut, damaged or of another layout is ignored, and the report
// says so.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_TUNING_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_TUNING_H_

#include <cstdint>
#include <istream>
#include <map>
#include <string>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/cost/decide.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/parse/partition_key.h"
#include "delegate/tflite/report/report.h"

namespace mcpruner {

struct Measured {
  bool take = false;
  uint64_t tflite_ns = 1, plugin_ns = 1;  // never 0
  uint32_t date = 0;
};
using MeasuredPartitions = std::map<PartitionKey, Measured>;

// Any bytes are safe to pass. The error is a clause that says what is wrong.
Result<MeasuredPartitions> ParseMeasured(Span<const uint8_t> value);

// Returns what the text of /proc/cpuinfo says of the kinds of cores, on one line.
std::string ProcessorName(std::istream& cpuinfo);

class Tuning {
 public:
  // Nothing is read, and nothing known, unless the backend is auto and there is a cache_dir.
  Tuning(const Options& options, int recommended_num_threads);

  bool enabled() const { return !report_.file.empty(); }
  bool empty() const { return measured_.empty(); }
  const TuningReport& report() const { return report_; }
  // Returns null where the partition was not measured.
  const Measured* Find(const PartitionKey& key) const;

 private:
  TuningReport report_;
  MeasuredPartitions measured_;
};

// Says what is done with a partition, and that it was measured.
cost::Decision FollowMeasured(const Measured& measured);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_TUNING_H_
