// These are the names of entries and terms, as the files of tables have them.

#ifndef MCPRUNER_DELEGATE_COST_TERMS_H_
#define MCPRUNER_DELEGATE_COST_TERMS_H_

#include <string>
#include <vector>

#include "delegate/cost/cost_table.h"

namespace mcpruner::cost {

struct NamedTerm {
  std::string name;
  double Terms::* term;
};
struct NamedEntry {
  std::string name;  // "packed conv"
  Terms Costs::* entry;
  std::vector<NamedTerm> terms;
};
std::vector<NamedEntry> NamedEntries();

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_TERMS_H_
