#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/kernels/pack/pack_step.h"

namespace mcpruner {
namespace {

TEST(PackTest, EveryElementGoesToItsPlaceAndBack) {
  for (const MicroKernels* micro_kernels : RunnableMicroKernels()) {
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{1, 4, 37, 3}, Shape{3, 1, 1, 70},
                               Shape{1, 2, 16, 16}, Shape{1, 2, 33, 65}}) {
      for (const Padding2D& border : {Padding2D{}, Padding2D{1, 2, 2, 3}, Padding2D{0, 0, 3, 1}}) {
        SCOPED_TRACE(std::string(micro_kernels->target) + " w " + std::to_string(shape.w) + " c " +
                     std::to_string(shape.c));
        TensorRef tensor{MakeLayout(shape, border), nullptr};
        std::vector<float> hcw(static_cast<size_t>(tensor.layout.BufferFloats()), -1.0f);
        tensor.data = hcw.data();
        std::vector<float> nhwc(static_cast<size_t>(shape.size()));
        std::iota(nhwc.begin(), nhwc.end(), 1.0f);
        ClearBorders(tensor.layout, tensor.data);
        for (int share = 0; share < 3; ++share) ToHcw(*micro_kernels, nhwc.data(), tensor, share, 3);

        const HcwLayout& layout = tensor.layout;
        std::vector<float> expected(hcw.size(), 0.0f);
        for (int i = 0; i < shape.n * shape.h * shape.w * shape.c; ++i) {
          const int c = i % shape.c, x = i / shape.c % shape.w, row = i / shape.c / shape.w;
          expected[static_cast<size_t>(layout.Pixel(row / shape.h, row % shape.h, c, x))] = static_cast<float>(i + 1);
        }
        // What lies behind the last row reaches as far into the slack as the head pushes it, or as a window reads. The
        // rest is nobody's to write.
        const int reach = border.bottom > 0 ? border.right : border.left;
        for (size_t i = static_cast<size_t>(shape.n * layout.image_stride() + reach); i < hcw.size(); ++i) {
          expected[i] = -1.0f;
        }
        ASSERT_EQ(hcw, expected);

        std::vector<float> back(nhwc.size());
        for (int share = 0; share < 2; ++share) FromHcw(*micro_kernels, tensor, back.data(), share, 2);
        ASSERT_EQ(back, nhwc);
      }
    }
  }
}

TEST(PackTest, EmptyTensorsAreLeftAlone) {
  const MicroKernels& micro_kernels = *RunnableMicroKernels()[0];
  const TensorRef empty{MakeLayout({1, 3, 0, 2}, {}), nullptr};
  ToHcw(micro_kernels, nullptr, empty, 0, 1);
  FromHcw(micro_kernels, empty, nullptr, 0, 1);
}

}  // namespace
}  // namespace mcpruner
