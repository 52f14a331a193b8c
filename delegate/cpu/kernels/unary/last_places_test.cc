// Every function of one element, on every instruction set, against the reference in units of the last place.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/kernels/unary/reference.h"
#include "delegate/graph/activation_range.h"
#include "delegate/graph/testing/op_lists.h"

namespace mcpruner {
namespace {

constexpr float kAlpha = 0.2f;

float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Floats are numbered in their order, so that the difference of two numbers is their distance in last places.
int64_t Number(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits >= 0 ? int64_t{bits} : int64_t{std::numeric_limits<int32_t>::min()} - bits;
}

int64_t Distance(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b) ? 0 : std::numeric_limits<int64_t>::max();
  return std::abs(Number(a) - Number(b));
}

struct Worst {
  float x = 0.0f;
  int64_t distance = 0;
};

// Compares a function with the reference on every `step`-th float, and returns the one where it is farthest off.
Worst FindWorst(const MicroKernels& kernels, UnaryFunction function, uint32_t step) {
  constexpr int32_t kWidth = 4096;
  std::vector<float> x(kWidth + 16), y(kWidth), expected(kWidth);
  UnaryRowArgs args{};
  args.in = x.data();
  args.out = y.data();
  args.channels = 1;
  args.width = kWidth;
  args.function = function;
  args.alpha = kAlpha;
  args.end.low = RangeOf(ActivationOf(function)).low;
  args.end.high = RangeOf(ActivationOf(function)).high;
  Worst worst;
  for (uint64_t bits = 0; bits <= std::numeric_limits<uint32_t>::max(); bits += uint64_t{step} * kWidth) {
    for (size_t i = 0; i < kWidth; ++i) x[i] = FromBits(static_cast<uint32_t>(bits + i * step));
    kernels.UnaryRow(args);
    UnaryReference({function, kAlpha}, kWidth, x.data(), expected.data());
    for (size_t i = 0; i < kWidth; ++i) {
      const int64_t distance = Distance(y[i], expected[i]);
      if (distance > worst.distance) worst = {x[i], distance};
    }
  }
  return worst;
}

// MCPRUNER_UNARY_STEP=1 tries all of the 2^32 floats, which takes minutes for each function.
TEST(LastPlacesTest, EveryFunctionIsWithinFourLastPlaces) {
  const char* const given = std::getenv("MCPRUNER_UNARY_STEP");
  const int step = given == nullptr ? 20011 : std::atoi(given);
  ASSERT_GT(step, 0);
  for (const MicroKernels* kernels : RunnableMicroKernels()) {
    for (const UnaryFunction function : kAllUnaryFunctions) {
      const Worst worst = FindWorst(*kernels, function, static_cast<uint32_t>(step));
      EXPECT_LE(worst.distance, 4) << kernels->target << ", function " << static_cast<int>(function) << " of "
                                   << worst.x;
    }
  }
}

}  // namespace
}  // namespace mcpruner
