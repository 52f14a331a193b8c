// This compares the cpu backend with the reference, for every SIMD target of this CPU, with one and with three threads.

#ifndef MCPRUNER_DELEGATE_CPU_TESTING_COMPARE_H_
#define MCPRUNER_DELEGATE_CPU_TESTING_COMPARE_H_

#include <functional>
#include <string>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {

// Runs `graph` (one input, random from `seed`) on both. The test fails where an element of an output differs by more
// than `tolerance`, or where the graph's last op does not run on a micro-kernel whose name begins with `micro_kernel`.
void ExpectAgreement(const Graph& graph, unsigned seed, float tolerance, const std::string& micro_kernel);
// Does the same with `x` as the input's elements. NaN and infinity agree with themselves only.
void ExpectAgreement(const Graph& graph, const std::vector<float>& x, float tolerance, const std::string& micro_kernel);

// Does the same for an op between two convolutions whose maps are larger than a cache, so that it may be streamed:
// between(builder, x, maps) adds the op to 24 channels of `maps`, made of the 3 of `x`, and returns its output.
void ExpectAgreementBetweenConvolutions(const std::function<int(GraphBuilder& b, int x, int maps)>& between);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_TESTING_COMPARE_H_
