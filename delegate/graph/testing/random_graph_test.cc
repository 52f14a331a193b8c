#include <gtest/gtest.h>

#include <set>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"

namespace mcpruner {
namespace {

TEST(RandomGraphTest, LeavesOutNoOpAndNoFunction) {
  std::set<OpType> types;
  std::set<UnaryFunction> functions;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    for (const Op& op : RandomGraph(seed).ops) {
      types.insert(op.type);
      if (const auto* unary = std::get_if<UnaryParams>(&op.params)) functions.insert(unary->function);
    }
  }
  for (const OpType type : kAllOpTypes) EXPECT_TRUE(types.count(type)) << OpTypeName(type);
  EXPECT_EQ(functions.size(), std::size(kAllUnaryFunctions));
}

}  // namespace
}  // namespace mcpruner
