#include "delegate/cpu/kernels/concat/reference.h"

#include <gtest/gtest.h>

#include <vector>

#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

// Concatenates two inputs of 1x1x2x2 and one of `third` along `axis`.
std::vector<float> Concat(int axis, const Shape& third) {
  GraphBuilder b;
  const std::vector<int> inputs{b.Input({1, 1, 2, 2}), b.Input({1, 1, 2, 2}), b.Input(third)};
  const int output = b.Op(OpType::kConcat, inputs, ConcatParams{axis});
  const Graph graph = b.Finish({output});
  const std::vector<float> x0{1, 2, 3, 4}, x1{10, 20, 30, 40}, x2{100, 200, 300, 400};
  std::vector<float> y(static_cast<size_t>(b.shape(output).size()));
  const std::vector<const float*> pointers{x0.data(), x1.data(), x2.data()};
  ConcatReference(graph, graph.ops[0], pointers, y.data());
  return y;
}

TEST(ConcatReferenceTest, ChannelsFollowOneAnother) {
  EXPECT_EQ(Concat(3, {1, 1, 2, 1}), (std::vector<float>{1, 2, 10, 20, 100, 3, 4, 30, 40, 200}));
}

TEST(ConcatReferenceTest, OtherAxesFollowOneAnother) {
  const std::vector<float> in_order{1, 2, 3, 4, 10, 20, 30, 40, 100, 200};
  EXPECT_EQ(Concat(2, {1, 1, 1, 2}), in_order);
  std::vector<float> longer = in_order;
  longer.insert(longer.end(), {300, 400});
  EXPECT_EQ(Concat(1, {1, 1, 2, 2}), longer);
  EXPECT_EQ(Concat(0, {1, 1, 2, 2}), longer);
}

TEST(ConcatReferenceTest, AnEmptyInputAddsNothing) {
  EXPECT_EQ(Concat(3, {1, 1, 2, 0}), (std::vector<float>{1, 2, 10, 20, 3, 4, 30, 40}));
}

}  // namespace
}  // namespace mcpruner
