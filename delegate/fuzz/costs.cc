// This target tests the reader of cost tables: any text is a table within its bounds, or an error.

#include <cmath>
#include <string>

#include "delegate/cost/amounts.h"
#include "delegate/cost/read_table.h"
#include "delegate/fuzz/fuzz.h"

namespace mcpruner::cost {
namespace {

void Parse(const std::string& text) {
  const Result<CostTable> table = ParseCostTable("fuzz", text);
  if (!table.ok()) {
    Check(table.message().rfind("it", 0) == 0 || table.message().rfind("the costs of '", 0) == 0,
          "an error is a clause: " + table.message());
    return;
  }
  Check(table->simd != nullptr, "an instruction set is known");
  Check(table->last_cache_bytes > 0 && table->memory_nanoseconds >= 0, "limits are in bounds");
  const Geometry geometry{LayerType::kConv, 7, 9, 2};
  const WeightShape shape{8, 3, 3, 16};
  for (const Amounts& amounts : {PartitionAmounts(), EdgeAmounts(10), TfliteAmounts(shape, geometry, *table->simd),
                                 UnpackedAmounts(shape, geometry, *table->simd)}) {
    const double alone = table->Time(amounts), shared = table->ForThreads(3).Time(amounts);
    Check(alone >= 0, "no time is negative or NaN");
    Check(shared >= 0 && shared <= alone, "several threads are no slower than one");
  }
}

}  // namespace
}  // namespace mcpruner::cost

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::cost::Parse(std::string(data, data + size));
  return 0;
}
