#include "delegate/cost/cost_table.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "delegate/cost/terms.h"

namespace mcpruner::cost {
namespace {

constexpr Simd kSimds[] = {
#define MCPRUNER_SIMD(name, ...) {#name, __VA_ARGS__},
#include "format/costs.inc"
};

constexpr struct {
  const char* name;
  double Terms::* term;
} kTerms[] = {
    {"multiply_adds", &Terms::multiply_adds},
    {"loads", &Terms::loads},
    {"kernels", &Terms::kernels},
    {"input_bytes", &Terms::input_bytes},
    {"read_bytes", &Terms::read_bytes},
    {"output_bytes", &Terms::output_bytes},
    {"strided_bytes", &Terms::strided_bytes},
    {"weight_bytes", &Terms::weight_bytes},
    {"layer", &Terms::layer},
};

// Returns the terms that a list such as "kernels, layer" names.
std::vector<NamedTerm> TermsOf(const std::string& list) {
  std::vector<NamedTerm> terms;
  for (const auto& known : kTerms) {
    if ((", " + list + ",").find(", " + std::string(known.name) + ",") == std::string::npos) continue;
    terms.push_back({known.name, known.term});
  }
  return terms;
}

// Returns what an operator of an entry takes more where several threads share it: TFLite's, or that of our cpu backend.
double Barrier(const Costs& nanoseconds, Terms Costs::* entry) {
#define MCPRUNER_COST(runtime, kind, ...)                                          \
  if (entry == &Costs::runtime##_##kind && #runtime == std::string_view("tflite")) \
    return nanoseconds.tflite_barrier.layer;
#include "format/costs.inc"
  return nanoseconds.cpu_barrier.layer;
}

}  // namespace

std::vector<NamedEntry> NamedEntries() {
  return {
#define MCPRUNER_COST(runtime, kind, ...) {#runtime " " #kind, &Costs::runtime##_##kind, TermsOf(#__VA_ARGS__)},
#include "format/costs.inc"
  };
}

const Simd* FindSimd(const std::string& name) {
  for (const Simd& simd : kSimds) {
    if (name == simd.name) return &simd;
  }
  return nullptr;
}

std::string SimdNames() {
  std::string names;
  for (const Simd& simd : kSimds) names += (names.empty() ? "" : ", ") + std::string(simd.name);
  return names;
}

double CostTable::Time(const Amounts& amounts) const {
  double time = 0.0;
  for (const auto& known : kTerms) time += (nanoseconds.*amounts.entry).*known.term * amounts.terms.*known.term;
  if (num_threads == 1) return time;
  // A call (of a partition, of an interpreter) has no other term, so it is not shared.
  const double alone = (nanoseconds.*amounts.entry).layer * amounts.terms.layer;
  // Both engines leave an operator to one thread where it is too small to be shared.
  return std::min(time, alone + (time - alone) / num_threads + Barrier(nanoseconds, amounts.entry));
}

CostTable CostTable::ForModel(double weight_bytes) const {
  CostTable table = *this;
  if (weight_bytes <= last_cache_bytes) return table;
  for (const NamedEntry& entry : NamedEntries()) {
    for (const NamedTerm& term : entry.terms) {
      if (term.term == &Terms::weight_bytes) (table.nanoseconds.*entry.entry).weight_bytes += memory_nanoseconds;
    }
  }
  return table;
}

CostTable CostTable::ForThreads(int threads) const {
  CostTable table = *this;
  table.num_threads = threads;
  return table;
}

}  // namespace mcpruner::cost
