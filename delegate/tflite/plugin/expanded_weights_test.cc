// These tests have weights that are expanded by nodes which the delegate takes: nobody expands them.

#include <gtest/gtest.h>

#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/testing/fake_model.h"
#include "delegate/tflite/testing/sparse_parts.h"
#include "delegate/tflite/testing/test_delegate.h"

namespace mcpruner {
namespace {

// The model is sparse [2, 1, 1, 1] = (0, 3) -> DENSIFY -> w, x -> CONV_2D 1x1 -> y, with an operator of TFLite between
// the two where `apart` says so: the runtime then puts them into different partitions.
class SparseConv {
 public:
  explicit SparseConv(bool apart) {
    const int sparse = model.Constant("sparse", {2, 1, 1, 1}, {3});
    model.At(sparse).sparsity = parts.Sparse({0, 1}, {1}).Dense(1).Dense(1).Dense(1).get();
    w = model.Tensor("w", {2, 1, 1, 1});
    x = model.Input("x", {1, 2, 2, 1});
    y = model.Tensor("y", {1, 2, 2, 2});
    model.Node(kTfLiteBuiltinDensify, {sparse}, {w});
    if (apart) model.Node(kTfLiteBuiltinCustom, {model.Input("z", {1})}, {x});
    model.Node(kTfLiteBuiltinConv2d, {x, w, -1}, {y}, &params);
    model.Output(y);
  }
  std::vector<float> Run() {
    if (model.Allocate() != kTfLiteOk) return {};
    for (int i = 0; i < 4; ++i) model.Data(x)[i] = static_cast<float>(i);
    if (model.Invoke() != kTfLiteOk) return {};
    return {model.Data(y), model.Data(y) + 8};
  }

  TfLiteConvParams params = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  SparseParts parts{{0, 1, 2, 3}, {}};
  FakeModel model;
  int w = -1, x = -1, y = -1;
};
const std::vector<float> kResult = {0, 0, 0, 3, 0, 6, 0, 9};

TEST(ExpandedWeights, AreNoTensorInsideOfAPartition) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  SparseConv m(false);
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 1u);
  EXPECT_EQ(m.Run(), kResult);
  EXPECT_EQ(m.model.Data(m.w), nullptr);
  EXPECT_EQ(m.model.errors(), "");
}

TEST(ExpandedWeights, HaveNoElementsBetweenPartitions) {
  const DelegatePtr delegate = MakeTestDelegate("cpu");
  SparseConv m(true);
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 2u);
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(m.Run(), kResult);
    EXPECT_EQ(m.model.At(m.w).bytes, 0u);
    // The delegate is applied again to a model whose tensor has no elements any more.
    ASSERT_EQ(m.model.Reapply(delegate.get()), kTfLiteOk);
  }
  EXPECT_EQ(m.model.errors(), "");
}

}  // namespace
}  // namespace mcpruner
