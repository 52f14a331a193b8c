#include "delegate/cost/read_table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "delegate/cost/flat_json.h"
#include "delegate/cost/terms.h"

namespace mcpruner::cost {
namespace {

constexpr double kFormat = 2;               // FORMAT of cost_model.py
constexpr size_t kLargestFile = 16u << 20;  // a calibration has 100 kB

Result<double> NumberAt(const FlatJson& json, const std::string& path) {
  const auto found = json.numbers.find(path);
  if (found == json.numbers.end()) return Status::Error("it has no number '" + path + "'");
  return found->second;
}

// Numbers are written by hand, since std::to_string writes the decimal comma of the app's locale.
std::string Text(double value) { return std::to_string(static_cast<int64_t>(std::clamp(value, -1e15, 1e15))); }

Status CheckHead(const FlatJson& json, CostTable* table) {
  const Result<double> format = NumberAt(json, "format");
  if (!format.ok()) return format.status();
  if (*format != kFormat) {
    return Status::Error("its format is " + Text(*format) + ", this version reads " + Text(kFormat));
  }
  const auto simd = json.texts.find("simd");
  if (simd == json.texts.end()) return Status::Error("it has no text 'simd'");
  table->simd = FindSimd(simd->second);
  if (table->simd != nullptr) return Status::Ok();
  return Status::Error("its simd is '" + simd->second + "', known are " + SimdNames());
}

Status ReadCosts(const FlatJson& json, Costs* costs) {
  for (const NamedEntry& entry : NamedEntries()) {
    // Files of older versions have none; on a machine with one CPU it was not measured and is 0.
    const bool barrier = entry.entry == &Costs::cpu_barrier || entry.entry == &Costs::tflite_barrier;
    if (barrier && json.numbers.count("nanoseconds/" + entry.name + "/layer") == 0) continue;
    double sum = 0.0;
    for (const NamedTerm& term : entry.terms) {
      const Result<double> cost = NumberAt(json, "nanoseconds/" + entry.name + "/" + term.name);
      if (!cost.ok()) return cost.status();
      (costs->*entry.entry).*term.term = *cost;
      sum += *cost >= 0 ? *cost : std::nan("");
    }
    if (!((sum > 0 || (barrier && sum == 0)) && std::isfinite(sum))) {
      return Status::Error("the costs of '" + entry.name + "' must be at least 0" +
                           (barrier ? " and finite" : ", finite, and not all 0"));
    }
  }
  return Status::Ok();
}

// Reads the last cache's bytes, and nanoseconds that a byte takes longer from memory than from there.
Status ReadMemory(const FlatJson& json, CostTable* table) {
  const std::string caches = "limits/cache_bytes/", rates = "limits/read_gigabytes_per_second/";
  std::string last;
  double most = 0.0;
  for (const auto& [path, bytes] : json.numbers) {
    if (path.compare(0, caches.size(), caches) != 0 || bytes <= most) continue;
    last = path.substr(caches.size());
    most = bytes;
  }
  if (last.empty()) return Status::Ok();  // not every system tells its caches
  const Result<double> memory = NumberAt(json, rates + "memory"), cache = NumberAt(json, rates + last);
  if (!memory.ok()) return memory.status();
  if (!cache.ok()) return cache.status();
  if (!(*memory > 0 && *cache > 0)) return Status::Error("its limits must be above 0");
  table->last_cache_bytes = most;
  table->memory_nanoseconds = std::max(0.0, 1 / *memory - 1 / *cache);
  return Status::Ok();
}

}  // namespace

Result<CostTable> ParseCostTable(const std::string& name, const std::string& json) {
  const Result<FlatJson> read = ReadFlatJson(json);
  if (!read.ok()) return read.status();
  CostTable table;
  table.name = name;
  MCPRUNER_RETURN_IF_ERROR(CheckHead(*read, &table));
  MCPRUNER_RETURN_IF_ERROR(ReadCosts(*read, &table.nanoseconds));
  MCPRUNER_RETURN_IF_ERROR(ReadMemory(*read, &table));
  return table;
}

Result<CostTable> ReadCostTable(const std::string& path) {
  const auto error = [&](const std::string& what) {
    return Status::Error("expected a file that `mcpruner calibrate` wrote, got '" + path + "': " + what);
  };
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return error("it is no file");  // a pipe would block
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::vector<char> chunk(1u << 16);
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    text.append(chunk.data(), static_cast<size_t>(file.gcount()));
    if (text.size() > kLargestFile) return error("it has more than " + std::to_string(kLargestFile) + " bytes");
  }
  if (!file.eof()) return error("it cannot be read");
  Result<CostTable> table = ParseCostTable(path, text);
  return table.ok() ? std::move(table) : error(table.message());
}

Result<CostTable> ShippedCostTable(const std::string& simd) {
  // As targets name them (converter/target.py): the table for AVX2 serves where no other does.
  const std::string name = simd == "avx512" ? "avx512" : simd.compare(0, 4, "neon") == 0 ? "a73" : "avx2";
  for (const ShippedTable* table = kShippedTables; table->name != nullptr; ++table) {
    if (name == table->name) return ParseCostTable(name, table->json);
  }
  return Status::Error("there is no table " + name);
}

}  // namespace mcpruner::cost
