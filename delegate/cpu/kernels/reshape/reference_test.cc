#include "delegate/cpu/kernels/reshape/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

TEST(ReshapeReferenceTest, KeepsTheElementsInOrder) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<float> y(6);
  ReshapeReference(6, x.data(), y.data());
  EXPECT_EQ(y, x);
  ReshapeReference(0, nullptr, nullptr);
}

}  // namespace
}  // namespace mcpruner
