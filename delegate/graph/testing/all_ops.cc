#include "delegate/graph/testing/all_ops.h"

#include <gtest/gtest.h>

#include <set>

#include "delegate/graph/testing/op_lists.h"

namespace mcpruner {

void ExpectAllOps(int count, const std::function<Graph(int)>& make) {
  std::set<OpType> types;
  std::set<UnaryFunction> functions;
  for (int i = 0; i < count; ++i) {
    for (const Op& op : make(i).ops) {
      types.insert(op.type);
      if (const auto* unary = std::get_if<UnaryParams>(&op.params)) functions.insert(unary->function);
    }
  }
  for (const OpType type : kAllOpTypes) EXPECT_TRUE(types.count(type)) << OpTypeName(type);
  for (const UnaryFunction function : kAllUnaryFunctions) {
    EXPECT_TRUE(functions.count(function)) << "function " << static_cast<int>(function) << " of unary_functions.inc";
  }
}

}  // namespace mcpruner
