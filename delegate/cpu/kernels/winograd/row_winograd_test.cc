#include "delegate/cpu/kernels/winograd/row_winograd.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mcpruner {
namespace {

std::vector<double> Times(const RowWinograd::Matrix& matrix, const std::vector<double>& vector) {
  std::vector<double> product(static_cast<size_t>(matrix.rows));
  for (int r = 0; r < matrix.rows; ++r) {
    for (int k = 0; k < matrix.columns; ++k) {
      product[static_cast<size_t>(r)] += matrix.at(r, k) * vector[static_cast<size_t>(k)];
    }
  }
  return product;
}

TEST(RowWinogradTest, TransformsAreAConvolutionWithFewerProducts) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int stride = 1; stride <= 3; ++stride) {
    for (int height = 1; height <= 13; ++height) {
      if (!HasRowWinograd(height, stride)) continue;
      SCOPED_TRACE(std::to_string(height) + " rows, stride " + std::to_string(stride));
      const RowWinograd winograd = MakeRowWinograd(height, stride);
      EXPECT_LT(winograd.products, height * kWinogradTileRows);
      std::vector<double> filter(static_cast<size_t>(height)), input(static_cast<size_t>(winograd.input_rows));
      for (double& v : filter) v = uniform(rng);
      for (double& v : input) v = uniform(rng);
      std::vector<double> products = Times(winograd.input, input);
      const std::vector<double> filters = Times(winograd.filter, filter);
      for (size_t i = 0; i < products.size(); ++i) products[i] *= filters[i];
      const std::vector<double> output = Times(winograd.output, products);
      for (int j = 0; j < kWinogradTileRows; ++j) {
        double expected = 0;
        for (int k = 0; k < height; ++k) {
          expected += filter[static_cast<size_t>(k)] * input[static_cast<size_t>(j * stride + k)];
        }
        EXPECT_NEAR(output[static_cast<size_t>(j)], expected, 1e-13);
      }
    }
  }
}

TEST(RowWinogradTest, OnlyPhasesOfTwoToFourRows) {
  EXPECT_FALSE(HasRowWinograd(1, 1));
  EXPECT_TRUE(HasRowWinograd(2, 1));
  EXPECT_TRUE(HasRowWinograd(3, 1));
  EXPECT_FALSE(HasRowWinograd(5, 1));
  EXPECT_FALSE(HasRowWinograd(3, 2));  // its second phase is one row
  EXPECT_TRUE(HasRowWinograd(7, 2));
  EXPECT_FALSE(HasRowWinograd(2, 3));  // its third phase has none
}

TEST(RowWinogradTest, KnownTransform) {
  const RowWinograd winograd = MakeRowWinograd(3, 1);
  EXPECT_EQ(winograd.products, 6);
  EXPECT_EQ(winograd.input_rows, 6);
  // Product 0 evaluates at 0: the filter's first row over (0 - 1)(0 + 1)(0 - 1/2)(0 + 2) = 1.
  EXPECT_EQ(winograd.filter.at(0, 0), 1.0);
  EXPECT_EQ(winograd.filter.at(0, 1), 0.0);
  // The last product is that at infinity: it takes the filter's last row into the tile's last output row.
  EXPECT_EQ(winograd.filter.at(5, 2), 1.0);
  EXPECT_EQ(winograd.output.at(3, 5), 1.0);
  EXPECT_EQ(winograd.output.at(2, 5), 0.0);
}

TEST(RowWinogradTest, ProductLayerIsBlockDiagonal) {
  const std::vector<float> weights(8 * 3 * 2 * 5, 1.0f);
  const auto dense = SparseLayerFromDense(LayerKind::kConv2D, {8, 3, 2, 5}, weights, {}, 8);
  ASSERT_TRUE(dense.ok());
  const RowWinograd winograd = MakeRowWinograd(3, 1);
  const SparseLayer layer = MakeProductLayer(*dense, winograd);
  EXPECT_EQ(layer.in_channels, 30);
  EXPECT_EQ(layer.out_channels, 48);
  EXPECT_EQ(layer.kernel_height, 1);
  EXPECT_EQ(layer.kernel_width, 2);
  EXPECT_DOUBLE_EQ(layer.Density(), 1.0 / 6);
  const std::vector<float> products = DenseWeights(layer);
  for (int filter = 0; filter < 48; ++filter) {
    const int product = filter / 8;
    double sum = 0;  // of all ones, by the filter transform
    for (int y = 0; y < 3; ++y) sum += winograd.filter.at(product, y);
    for (int x = 0; x < 2; ++x) {
      for (int channel = 0; channel < 30; ++channel) {
        const float expected = channel / 5 == product ? static_cast<float>(sum) : 0.0f;
        EXPECT_EQ(products[static_cast<size_t>((filter * 2 + x) * 30 + channel)], expected);
      }
    }
  }
}

}  // namespace
}  // namespace mcpruner
