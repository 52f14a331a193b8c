#include <gtest/gtest.h>

#include "delegate/graph/testing/all_ops.h"
#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

TEST(RandomGraphTest, LeavesOutNoOpAndNoFunction) {
  ExpectAllOps(300, [](int seed) { return RandomGraph(static_cast<uint32_t>(seed)); });
}

}  // namespace
}  // namespace mcpruner
