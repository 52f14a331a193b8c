// A FlatJson has the numbers and texts of a JSON object by their path.
//
//     {"simd": "avx2", "nanoseconds": {"cpu edge": {"layer": 900}}}   texts    "simd" -> "avx2"
//                                                                     numbers  "nanoseconds/cpu edge/layer" -> 900
//
// What stands in lists is left out.

#ifndef MCPRUNER_DELEGATE_COST_FLAT_JSON_H_
#define MCPRUNER_DELEGATE_COST_FLAT_JSON_H_

#include <map>
#include <string>

#include "delegate/base/status.h"

namespace mcpruner::cost {

struct FlatJson {
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
};

// Any text is safe to pass. The error is a clause: what is wrong, and where.
Result<FlatJson> ReadFlatJson(const std::string& text);

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_FLAT_JSON_H_
