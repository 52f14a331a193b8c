// A CostTable says what each unit of work costs on a machine, in TFLite and in the plugin.
//
//     time = sum over terms of (amount x nanoseconds of the term)        on one thread
//
// Of T threads each starts the operator and does its share, and all wait for the last one, unless one alone is as fast:
//
//     |- layer -|- the other terms / T -|- barrier -|
//
// converter/cost/cost_model.py explains entries and terms, and format/costs.inc lists them for both sides. Amounts are
// doubles: products of sizes that a damaged file claims stay finite, and those of real ones are exact.

#ifndef MCPRUNER_DELEGATE_COST_COST_TABLE_H_
#define MCPRUNER_DELEGATE_COST_COST_TABLE_H_

#include <limits>
#include <string>

namespace mcpruner::cost {

// Terms are amounts of each kind of work, or what one unit of each costs.
struct Terms {
  double multiply_adds = 0.0;
  double loads = 0.0;
  double kernels = 0.0;
  double input_bytes = 0.0;
  double read_bytes = 0.0;
  double output_bytes = 0.0;
  double strided_bytes = 0.0;
  double weight_bytes = 0.0;
  double layer = 0.0;
};

// Costs are nanoseconds, one entry for each kind of operator in each runtime: packed_conv, cpu_edge, ...
struct Costs {
#define MCPRUNER_COST(runtime, kind, ...) Terms runtime##_##kind;
#include "format/costs.inc"
};

// Amounts are how much of each term of an entry an operator needs.
struct Amounts {
  Terms Costs::* entry;
  Terms terms;
};

// A Simd is an instruction set: floats of a vector, vectors of our tiles; pixels and filters of XNNPACK's.
struct Simd {
  const char* name;
  double lanes, vectors, tile_pixels, tile_filters;
};
// Returns null for an unknown name.
const Simd* FindSimd(const std::string& name);
// Returns all names: "avx512, avx2, ...".
std::string SimdNames();

struct CostTable {
  std::string name;            // of a shipped table, or the path of a file
  const Simd* simd = nullptr;  // never null in a table that was read
  Costs nanoseconds;
  // Where the weights of a model exceed the last cache, each byte of them costs more. Without limits nothing does.
  double last_cache_bytes = std::numeric_limits<double>::infinity();
  double memory_nanoseconds = 0.0;
  int num_threads = 1;  // that share each operator

  // Returns the nanoseconds that amounts of work take on `num_threads` threads. It grows with each amount, and never
  // with the number of threads beyond one.
  double Time(const Amounts& amounts) const;
  // Returns the table for layers of a model whose dense weights have `weight_bytes` together.
  CostTable ForModel(double weight_bytes) const;
  // Returns the table for so many threads, of which there is at least one.
  CostTable ForThreads(int threads) const;
};

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_COST_TABLE_H_
