// These tests run dense convolutions through the whole backend and compare them with the reference, for every SIMD
// target of this CPU.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

constexpr char kWinograd[] = "conv row-winograd";
constexpr char kDirect[] = "conv g";

std::shared_ptr<const SparseLayer> DenseLayer(const DenseShape& shape, int group_size) {
  std::mt19937 rng(1);
  const int64_t size = int64_t{shape.out_channels} * shape.kernel_height * shape.kernel_width * shape.in_channels;
  auto layer = SparseLayerFromDense(LayerKind::kConv2D, shape, RandomFloats(rng, size),
                                    RandomFloats(rng, shape.out_channels), group_size);
  EXPECT_TRUE(layer.ok()) << layer.message();
  return std::make_shared<SparseLayer>(std::move(*layer));
}

// Inputs and weights are at most 1, so errors stay below 2e-6 for each of the products that are added up.
float Tolerance(const DenseShape& shape) {
  return 2e-6f * static_cast<float>(shape.kernel_height * shape.kernel_width * shape.in_channels);
}

void Check(const Shape& in, const DenseShape& shape, const Window& window, const char* micro_kernel, int group_size = 4,
           Activation activation = Activation::kRelu) {
  GraphBuilder b;
  const ConvParams params{window, DenseLayer(shape, group_size)};
  const int y = b.Op(OpType::kConv, {b.Input(in)}, params, activation);
  ExpectAgreement(b.Finish({y}), 1, Tolerance(shape), micro_kernel);
}

TEST(WinogradTest, FirstLayerOfAResNet) { Check({2, 61, 57, 3}, {64, 7, 7, 3}, {2, 2, 1, 1, {2, 3, 2, 3}}, kWinograd); }

TEST(WinogradTest, EveryHeight) {
  for (int height = 2; height <= 40; ++height) {
    SCOPED_TRACE("height " + std::to_string(height));
    const bool pays = height != 2 && height != 5;  // little of the last tile is used
    Check({1, height, 33, 16}, {8, 3, 3, 16}, {1, 1, 1, 1, {1, 1, 1, 1}}, pays ? kWinograd : kDirect);
  }
}

TEST(WinogradTest, EveryWidth) {
  for (int width = 8; width <= 70; ++width) {
    SCOPED_TRACE("width " + std::to_string(width));
    Check({1, 8, width, 16}, {4, 3, 3, 16}, {1, 1, 1, 1, {1, 1, 1, 1}}, kWinograd);
  }
}

TEST(WinogradTest, PaddingStridesAndGroups) {
  for (const int group_size : {1, 2, 4, 8, 16}) {
    SCOPED_TRACE("group_size " + std::to_string(group_size));
    Check({2, 19, 21, 12}, {12, 4, 2, 12}, {1, 1, 1, 1, {0, 0, 0, 0}}, kWinograd, group_size, Activation::kNone);
    Check({1, 19, 21, 12}, {16, 4, 3, 12}, {2, 1, 1, 1, {3, 3, 2, 2}}, kWinograd, group_size);
    Check({1, 19, 41, 12}, {16, 3, 5, 12}, {1, 3, 1, 1, {1, 1, 2, 2}}, kWinograd, group_size, Activation::kRelu6);
    Check({1, 40, 21, 12}, {16, 8, 2, 12}, {3, 1, 1, 1, {2, 3, 0, 0}}, kWinograd, group_size);
  }
}

TEST(WinogradTest, OthersRunAsTheyAre) {
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  Check({1, 32, 32, 3}, {64, 3, 3, 3}, same, kDirect);   // transforms would cost more than they save
  Check({1, 7, 7, 64}, {64, 3, 3, 64}, same, kDirect);   // few pixels
  Check({1, 16, 16, 16}, {6, 3, 3, 16}, same, kDirect);  // no multiple of 4 filters
  Check({1, 16, 16, 16}, {8, 5, 5, 16}, {1, 1, 1, 1, {2, 2, 2, 2}}, kDirect);  // 5 rows
  Check({1, 16, 16, 16}, {8, 3, 3, 16}, {1, 1, 2, 1, {2, 2, 1, 1}}, kDirect);  // dilated
}

TEST(WinogradTest, SparseLayersRunAsTheyAre) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const ConvParams params{{1, 1, 1, 1, {1, 1, 1, 1}}, RandomLayer(rng, LayerKind::kConv2D, {16, 3, 3, 16}, 4, 4, 1.0)};
  const int y = b.Op(OpType::kConv, {b.Input({1, 16, 16, 16})}, params);
  ExpectAgreement(b.Finish({y}), 1, 1e-4f, kDirect);
}

// A stream asks for rows that begin and end within tiles.
TEST(WinogradTest, StreamedBeforeAPool) {
  GraphBuilder b;
  const DenseShape shape{64, 7, 7, 3};
  const int x = b.Op(OpType::kConv, {b.Input({2, 220, 224, 3})},
                     ConvParams{{2, 2, 1, 1, {2, 3, 2, 3}}, DenseLayer(shape, 4)}, Activation::kRelu);
  const int y = b.Op(OpType::kMaxPool, {x}, PoolParams{{2, 2, 1, 1, {0, 1, 0, 1}}, 3, 3});
  ExpectAgreement(b.Finish({y}), 1, Tolerance(shape), "pool");
}

}  // namespace
}  // namespace mcpruner
