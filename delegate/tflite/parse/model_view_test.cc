#include "delegate/tflite/parse/model_view.h"

#include <gtest/gtest.h>

#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {
namespace {

ModelView ViewOf(FakeModel* model) {
  ModelView view;
  view.context = model->context();
  return view;
}

TEST(ModelView, TensorsOutOfRangeAreNull) {
  FakeModel model;
  const int x = model.Input("x", {1});
  EXPECT_EQ(TensorAt(model.context(), x)->type, kTfLiteFloat32);
  EXPECT_EQ(TensorAt(model.context(), -1), nullptr);
  EXPECT_EQ(TensorAt(model.context(), x + 1), nullptr);
  EXPECT_EQ(TensorName(nullptr), "");
}

TEST(ModelView, NodesAreNamedByTheirOutput) {
  FakeModel model;
  const int x = model.Input("x", {1}), y = model.Tensor("block/relu", {1});
  const NodeRef relu = model.Ref(model.Node(kTfLiteBuiltinRelu, {x}, {y}));
  const NodeRef custom = model.Ref(model.CustomNode("Foo", {y}, {x}, {}));
  EXPECT_EQ(Describe(model.context(), relu), "RELU 'block/relu'");
  EXPECT_EQ(Describe(model.context(), custom), "Foo 'x'");
  EXPECT_EQ(InputIndex(relu, 1), kTfLiteOptionalTensor);
  EXPECT_EQ(GetNode(model.context(), 2).message(), "the runtime does not know node 2");
}

TEST(ModelView, FloatsAreReadInPlace) {
  FakeModel model;
  const int w = model.Constant("w", {2, 1}, {1.5f, -2});
  const Result<FloatConstant> floats = ReadFloats(ViewOf(&model), w, "its filter");
  ASSERT_TRUE(floats.ok()) << floats.message();
  EXPECT_EQ(floats->dims, (Dims{2, 1}));
  EXPECT_EQ(floats->values.data(), static_cast<const float*>(model.At(w).data));
  EXPECT_EQ(floats->values[1], -2);
}

TEST(ModelView, FloatsThatAreNotAlignedAreCopied) {
  FakeModel model;
  const int w = model.Constant("w", {2}, {0, 0});
  const float values[] = {1.5f, -2};
  std::vector<char> bytes(sizeof(values) + 1);
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  model.At(w).data = bytes.data() + 1;
  const Result<FloatConstant> floats = ReadFloats(ViewOf(&model), w, "its filter");
  ASSERT_TRUE(floats.ok()) << floats.message();
  EXPECT_EQ(std::vector<float>(floats->values.begin(), floats->values.end()), (std::vector<float>{1.5f, -2}));
}

TEST(ModelView, HalvesBehindDequantizeAreExpanded) {
  FakeModel model;
  const uint16_t halves[] = {0x3C00, 0xC100, 0x0001, 0x7BFF};  // 1, -2.5, the smallest and the largest
  const int half = model.Constant("half", {4}, halves, sizeof(halves), kTfLiteFloat16);
  const int w = model.Tensor("w", {4}), x = model.Input("x", {4}), y = model.Tensor("y", {4});
  const NodeRef constant = model.Ref(model.Node(kTfLiteBuiltinDequantize, {half}, {w}));
  const NodeRef computed = model.Ref(model.Node(kTfLiteBuiltinDequantize, {x}, {y}));
  ModelView view = ViewOf(&model);
  EXPECT_FALSE(IsFloatConstant(view, w));
  FindExpanded({constant, computed}, &view);
  EXPECT_TRUE(IsFloatConstant(view, w));
  EXPECT_FALSE(IsFloatConstant(view, y));
  const Result<FloatConstant> floats = ReadFloats(view, w, "its filter");
  ASSERT_TRUE(floats.ok()) << floats.message();
  EXPECT_EQ(std::vector<float>(floats->values.begin(), floats->values.end()),
            (std::vector<float>{1.0f, -2.5f, 5.9604644775390625e-08f, 65504.0f}));
}

TEST(ModelView, WhatIsNoConstantIsSaid) {
  FakeModel model;
  const int x = model.Input("x", {2}), sparse = model.Constant("s", {1}, {1}), half = model.Tensor("h", {1});
  const TfLiteSparsity sparsity = {};
  model.At(sparse).sparsity = &sparsity;
  const ModelView view = ViewOf(&model);
  EXPECT_EQ(ReadFloats(view, x, "its filter").message(), "its filter 'x' is not a float32 constant of the file");
  EXPECT_EQ(ReadFloats(view, -1, "its filter").message(), "its filter is missing");
  EXPECT_EQ(ReadFloats(view, sparse, "its filter").message(),
            "its filter 's' is a sparse tensor that TFLite does not read here; convert the model with mcpruner");
  EXPECT_EQ(ReadInts(view, x, "its shape").message(), "its shape 'x' is not an int32 constant of the file");
  EXPECT_EQ(ReadBytes(view, half, "its blob").message(), "its blob 'h' is not a uint8 constant of the file");
}

TEST(ModelView, ShapesThatDoNotMatchTheBytesAreRefused) {
  FakeModel model;
  const ModelView view = ViewOf(&model);
  const std::vector<Dims> bad = {{3}, {1}, {-2}, {1 << 30, 1 << 30, 1 << 30, 1 << 30}, {0}};
  for (const Dims& dims : bad) {
    const int w = model.Constant("w", dims, {1, 2});
    EXPECT_FALSE(ReadFloats(view, w, "its filter").ok()) << DimsText(dims);
  }
  const int w = model.Constant("w", {3}, {1, 2});
  EXPECT_EQ(ReadFloats(view, w, "its filter").message(), "its filter 'w' has 8 bytes, not those of its shape [3]");
}

TEST(ModelView, Int64IsClampedToInt) {
  FakeModel model;
  const int64_t values[] = {-1, int64_t{1} << 40, -(int64_t{1} << 40)};
  const int list = model.Constant("list", {3}, values, sizeof(values), kTfLiteInt64);
  const Result<std::vector<int>> ints = ReadInts(ViewOf(&model), list, "its list");
  ASSERT_TRUE(ints.ok()) << ints.message();
  EXPECT_EQ(*ints, (std::vector<int>{-1, INT_MAX, INT_MIN}));
}

}  // namespace
}  // namespace mcpruner
