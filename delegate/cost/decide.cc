#include "delegate/cost/decide.h"

namespace mcpruner::cost {

Decision Decide(const Contents& partition, bool takes_all) {
  if (partition.packed_layers) return {true, "its packed layers run nowhere else"};
  if (!partition.dense_layers) {
    return {false, "no convolution or fully-connected layer stands beside it, so TFLite is as fast"};
  }
  if (takes_all) return {true, "the backend takes all that it can run"};
  return {false, "no layer of its partition is packed, and TFLite runs dense layers as fast (backend cpu takes it)"};
}

}  // namespace mcpruner::cost
