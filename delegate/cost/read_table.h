// Tables are read here: those that are compiled in, and files that `mcpruner calibrate` wrote. Both are the same JSON.

#ifndef MCPRUNER_DELEGATE_COST_READ_TABLE_H_
#define MCPRUNER_DELEGATE_COST_READ_TABLE_H_

#include <string>

#include "delegate/base/status.h"
#include "delegate/cost/cost_table.h"

namespace mcpruner::cost {

// A ShippedTable is one of converter/cost/data, without its samples. tools/cost_sources.py makes the list, which ends
// with an entry without a name.
struct ShippedTable {
  const char* name;
  const char* json;
};
extern const ShippedTable kShippedTables[];

// Reads the text of a table. The error is a clause that says what is wrong with it.
Result<CostTable> ParseCostTable(const std::string& name, const std::string& json);
// Reads a file. The error is a sentence that names it.
Result<CostTable> ReadCostTable(const std::string& path);
// Returns the shipped table for an instruction set of the cpu backend ("avx2", "neon_a53", ...).
Result<CostTable> ShippedCostTable(const std::string& simd);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_READ_TABLE_H_
