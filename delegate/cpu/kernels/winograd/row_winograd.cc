#include "delegate/cpu/kernels/winograd/row_winograd.h"

#include <numeric>

namespace mcpruner {
namespace {

constexpr int kMinPhaseRows = 2, kMaxPhaseRows = 4;
constexpr int kGroupSize = 4;
// Polynomials are evaluated at these points, and at infinity. The smaller the numbers and their inverses, the smaller
// the rounding errors (Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution, 2020).
constexpr double kPoints[] = {0, 1, -1, 0.5, -2, 2};

// Returns how many kernel rows a phase has: rows phase, phase + stride, ...
int PhaseRows(int kernel_height, int stride, int phase) { return (kernel_height - phase + stride - 1) / stride; }

RowWinograd::Matrix Zeros(int rows, int columns) {
  return {rows, columns, std::vector<double>(static_cast<size_t>(rows * columns))};
}

// Returns the coefficients, lowest power first, of the product of (x - kPoints[i]) over i < count, i != left_out.
std::vector<double> Polynomial(int count, int left_out) {
  std::vector<double> coefficients{1};
  for (int i = 0; i < count; ++i) {
    if (i == left_out) continue;
    coefficients.insert(coefficients.begin(), 0);  // times x
    for (size_t k = 0; k + 1 < coefficients.size(); ++k) coefficients[k] -= kPoints[i] * coefficients[k + 1];
  }
  return coefficients;
}

double Value(const std::vector<double>& coefficients, double x) {
  double value = 0;
  for (size_t k = coefficients.size(); k-- > 0;) value = value * x + coefficients[k];
  return value;
}

// Computes, after Cook and Toom, the transforms of the `rows` kernel rows phase, phase + stride, ..., as products
// first, first + 1, ...
void FillPhase(int rows, int stride, int phase, int first, RowWinograd* winograd) {
  const int points = kWinogradTileRows + rows - 2;
  for (int i = 0; i <= points; ++i) {
    const bool infinity = i == points;
    const std::vector<double> polynomial = Polynomial(points, i);
    for (size_t k = 0; k < polynomial.size(); ++k) {
      winograd->input.at(first + i, phase + stride * static_cast<int>(k)) = polynomial[k];
    }
    double power = infinity ? 0 : 1 / Value(polynomial, kPoints[i]);
    for (int k = 0; k < rows; ++k) {
      winograd->filter.at(first + i, phase + stride * k) = infinity && k == rows - 1 ? 1 : power;
      power *= infinity ? 0 : kPoints[i];
    }
    power = infinity ? 0 : 1;
    for (int j = 0; j < kWinogradTileRows; ++j) {
      winograd->output.at(j, first + i) = infinity && j == kWinogradTileRows - 1 ? 1 : power;
      power *= infinity ? 0 : kPoints[i];
    }
  }
}

}  // namespace

bool HasRowWinograd(int kernel_height, int stride) {
  return PhaseRows(kernel_height, stride, 0) <= kMaxPhaseRows &&
         PhaseRows(kernel_height, stride, stride - 1) >= kMinPhaseRows;
}

RowWinograd MakeRowWinograd(int kernel_height, int stride) {
  RowWinograd winograd;
  winograd.products = kernel_height + stride * (kWinogradTileRows - 1);
  winograd.input_rows = winograd.products;
  winograd.input = Zeros(winograd.products, winograd.input_rows);
  winograd.filter = Zeros(winograd.products, kernel_height);
  winograd.output = Zeros(kWinogradTileRows, winograd.products);
  int first = 0;
  for (int phase = 0; phase < stride; ++phase) {
    const int rows = PhaseRows(kernel_height, stride, phase);
    FillPhase(rows, stride, phase, first, &winograd);
    first += kWinogradTileRows + rows - 1;
  }
  return winograd;
}

SparseLayer MakeProductLayer(const SparseLayer& dense, const RowWinograd& winograd) {
  const std::vector<float> weights = DenseWeights(dense);
  const int width = dense.kernel_width, channels = dense.in_channels;
  const ptrdiff_t row = ptrdiff_t{width} * channels;  // of OHWI weights
  SparseLayer layer;
  layer.kernel_width = width;
  layer.in_channels = winograd.products * channels;
  layer.out_channels = winograd.products * dense.out_channels;
  layer.group_size = kGroupSize;
  layer.patterns = {FullPattern(width)};
  layer.bias.resize(static_cast<size_t>(layer.out_channels));
  layer.permutation.resize(static_cast<size_t>(layer.out_channels));
  std::iota(layer.permutation.begin(), layer.permutation.end(), uint16_t{0});
  layer.values.reserve(static_cast<size_t>(layer.out_channels) * static_cast<size_t>(row));
  for (int first = 0; first < layer.out_channels; first += kGroupSize) {
    const int product = first / dense.out_channels, filter = first % dense.out_channels;
    layer.group_run_begin.push_back(static_cast<uint32_t>(layer.runs.size()));
    layer.runs.push_back({0, static_cast<uint16_t>(channels)});
    for (int c = 0; c < channels; ++c) layer.channels.push_back(static_cast<uint16_t>(product * channels + c));
    for (int c = 0; c < channels; ++c) {
      for (int x = 0; x < width; ++x) {
        for (int f = filter; f < filter + kGroupSize; ++f) {
          double value = 0;
          for (int y = 0; y < dense.kernel_height; ++y) {
            const ptrdiff_t index = (ptrdiff_t{f} * dense.kernel_height + y) * row + ptrdiff_t{x} * channels + c;
            value += winograd.filter.at(product, y) * double{weights[static_cast<size_t>(index)]};
          }
          layer.values.push_back(static_cast<float>(value));
        }
      }
    }
  }
  layer.group_run_begin.push_back(static_cast<uint32_t>(layer.runs.size()));
  return layer;
}

}  // namespace mcpruner
