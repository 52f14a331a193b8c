#include "delegate/fuzz/graph_from_bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "delegate/graph/testing/op_lists.h"

namespace mcpruner {
namespace {

TEST(GraphFromBytesTest, LeavesOutNoOpAndNoFunction) {
  std::mt19937 rng(1);
  std::set<OpType> types;
  std::set<UnaryFunction> functions;
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> bytes(200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng());
    Decisions decisions(bytes.data(), bytes.size());
    for (const Op& op : GraphFromBytes(&decisions).ops) {
      types.insert(op.type);
      if (const auto* unary = std::get_if<UnaryParams>(&op.params)) functions.insert(unary->function);
    }
  }
  for (const OpType type : kAllOpTypes) EXPECT_TRUE(types.count(type)) << OpTypeName(type);
  EXPECT_EQ(functions.size(), std::size(kAllUnaryFunctions));
}

}  // namespace
}  // namespace mcpruner
