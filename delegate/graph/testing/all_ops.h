// ExpectAllOps is the test of those who make graphs for other tests: an op that they leave out is tested nowhere.

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_ALL_OPS_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_ALL_OPS_H_

#include <functional>

#include "delegate/graph/graph.h"

namespace mcpruner {

// Calls make(0) .. make(count - 1), and fails for each op type and each function of one element that is in none of
// these graphs.
void ExpectAllOps(int count, const std::function<Graph(int)>& make);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_ALL_OPS_H_
