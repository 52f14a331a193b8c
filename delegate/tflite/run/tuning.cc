#include "delegate/tflite/run/tuning.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/opencl/driver/disk_cache.h"

namespace mcpruner {
namespace {

constexpr char kLayout[] = "partitions measured by mcpruner tune, 1";
constexpr char kPluginVersion[] =
#include "delegate/tflite/run/version.inc"
    ;
constexpr size_t kRecordBytes = 40;

uint64_t ReadNumber(const uint8_t* bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = count; i-- > 0;) number = number << 8 | bytes[i];
  return number;
}

std::string MachineKey(const Options& options, int num_threads) {
  std::ifstream text("/proc/cpuinfo");
  text.exceptions(std::ios::badbit);  // running out of memory must not look like the end of the text
  const std::string simd = options.simd.empty() ? CpuSimdTargets().front() : options.simd;
  return std::string(kLayout) + "\nmcpruner " + kPluginVersion + "\n" + simd + "\n" + ProcessorName(text) +
         "\nnum_threads " + std::to_string(num_threads) + "\n";
}

}  // namespace

std::string ProcessorName(std::istream& cpuinfo) {
  constexpr const char* kKeys[] = {"model name", "cpu family", "model", "Hardware", "CPU implementer", "CPU part"};
  std::set<std::string> seen;  // cores of one kind say the same
  std::string name;
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) continue;
    const std::string entry = key + line.substr(colon);
    if (seen.insert(entry).second) name += (name.empty() ? "" : ", ") + entry;
  }
  return name;
}

Result<MeasuredPartitions> ParseMeasured(Span<const uint8_t> value) {
  if (value.size() % kRecordBytes != 0) return Status::Error("it does not end with a whole record");
  MeasuredPartitions partitions;
  for (size_t first = 0; first < value.size(); first += kRecordBytes) {
    const uint8_t* const record = value.data() + first;
    Measured measured;
    measured.tflite_ns = ReadNumber(record + 16, 8);
    measured.plugin_ns = ReadNumber(record + 24, 8);
    measured.date = static_cast<uint32_t>(ReadNumber(record + 32, 4));
    const uint64_t take = ReadNumber(record + 36, 4);
    measured.take = take == 1;
    if (measured.tflite_ns == 0 || measured.plugin_ns == 0) return Status::Error("it has a time of 0");
    if (measured.date > 99991231) return Status::Error("it has a date that is none");
    if (take > 1) return Status::Error("it has a decision that is none");
    partitions[{ReadNumber(record, 8), ReadNumber(record + 8, 8)}] = measured;
  }
  return partitions;
}

Tuning::Tuning(const Options& options, int recommended_num_threads) {
  if (options.backend != BackendChoice::kAuto || options.cache_dir.empty()) return;
  report_.machine = MachineKey(options, NumThreads(options, recommended_num_threads));
  const opencl::DiskCache cache(options.cache_dir);
  report_.file = cache.Path(report_.machine);
  const std::vector<uint8_t> value = cache.Load(report_.machine);
  Result<MeasuredPartitions> measured = ParseMeasured(value);
  if (value.empty() && access(report_.file.c_str(), F_OK) == 0) measured = Status::Error("it is cut or damaged");
  if (measured.ok()) {
    measured_ = std::move(*measured);
  } else {
    report_.reason = "the measurements in " + report_.file + " are ignored, since " + measured.message() +
                     ": run mcpruner tune again";
  }
}

const Measured* Tuning::Find(const PartitionKey& key) const {
  const auto found = measured_.find(key);
  return found == measured_.end() ? nullptr : &found->second;
}

cost::Decision FollowMeasured(const Measured& measured) {
  char text[128];
  std::snprintf(text, sizeof text, "mcpruner tune measured the model %.2f times as fast with it, on %04u-%02u-%02u",
                static_cast<double>(measured.tflite_ns) / static_cast<double>(measured.plugin_ns),
                measured.date / 10000, measured.date / 100 % 100, measured.date % 100);
  return {measured.take, text};
}

}  // namespace mcpruner
