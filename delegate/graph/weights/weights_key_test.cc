#include "delegate/graph/weights/weights_key.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

namespace mcpruner {
namespace {

uint64_t Of(const char* text) { return Xxh64(text, std::strlen(text)); }

// tests/converter/format/test_weights_key.py has the same figures.
TEST(WeightsKey, HashesAsXxHashDoes) {
  EXPECT_EQ(Of(""), 0xEF46DB3751D8E999);
  EXPECT_EQ(Of("a"), 0xD24EC4F1A98C6E5B);
  EXPECT_EQ(Of("abc"), 0x44BC2CF5AD770999);
  EXPECT_EQ(Of("0123456789abcdef0123456789abcdef"), 0x642A94958E71E6C5);
  EXPECT_EQ(Of("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1);
  EXPECT_EQ(Of("The quick brown fox jumps over the lazy dog"), 0x0B242D361FDA71BC);
}

TEST(WeightsKey, IsTheConvertersKey) {
  std::vector<float> ramp(2 * 3 * 3 * 100);
  std::iota(ramp.begin(), ramp.end(), 0.0f);
  EXPECT_EQ(WeightsKey({2, 3, 3, 100}, ramp), 0x736B0A22F5762CDC);
  EXPECT_EQ(WeightsKey({2, 3, 100, 3}, ramp), 0x3B308A711AA660B5);
  ramp[0] = -0.0f;
  EXPECT_NE(WeightsKey({2, 3, 3, 100}, ramp), 0x736B0A22F5762CDC);
}

}  // namespace
}  // namespace mcpruner
