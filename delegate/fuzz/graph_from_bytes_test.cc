#include "delegate/fuzz/graph_from_bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "delegate/graph/testing/all_ops.h"

namespace mcpruner {
namespace {

TEST(GraphFromBytesTest, LeavesOutNoOpAndNoFunction) {
  std::mt19937 rng(1);
  ExpectAllOps(1000, [&rng](int) {
    std::vector<uint8_t> bytes(200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng());
    Decisions decisions(bytes.data(), bytes.size());
    return GraphFromBytes(&decisions);
  });
}

}  // namespace
}  // namespace mcpruner
