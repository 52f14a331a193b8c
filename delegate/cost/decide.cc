#include "delegate/cost/decide.h"

#include <cstdio>

namespace mcpruner::cost {
namespace {

#define MCPRUNER_COUNT(name, count) [[maybe_unused]] constexpr double k##name = count;
#include "format/costs.inc"

}  // namespace

Decision Decide(const Contents& partition, bool takes_all) {
  if (partition.packed_layers) return {true, "its packed layers run nowhere else"};
  if (!partition.packed_at_load && !partition.dense_layers) {
    return {false, "no convolution or fully-connected layer stands beside it, so TFLite is as fast"};
  }
  if (takes_all) return {true, "the backend takes all that it can run"};
  if (partition.packed_at_load) return {true, "its layers with zeros were packed when the file was loaded"};
  return {false, "no layer of its partition is packed, and TFLite runs dense layers as fast (backend cpu takes it)"};
}

Decision IsWorthIt(double speedup, bool whole) {
  if (speedup >= kWorthIt) return {true, ""};
  char text[160];
  std::snprintf(text, sizeof text,
                "with its pruned layers packed, %s is predicted to run %.2f times as fast, which is not worth it",
                whole ? "the model" : "its partition", speedup);
  return {false, text};
}

}  // namespace mcpruner::cost
