// These tests check what ParseNode refuses, and with which reason. tests/e2e compares what it takes with real runtimes.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/testing/fake_model.h"
#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

class Parse : public testing::Test {
 protected:
  // Returns the reason why a node is refused, or "" when it is taken.
  std::string Reason(int32_t code, const std::vector<int>& inputs, void* params = nullptr, int version = 1) {
    NodeRef node = model.Ref(model.Node(code, inputs, {y}, params));
    TfLiteRegistration registration = *node.registration;
    registration.version = version;
    node.registration = &registration;
    ModelView view;
    view.context = model.context();
    return ParseNode(view, node, &cache).message();
  }

  FakeModel model;
  LayerCache cache;
  int x = model.Input("x", {1, 4, 4, 2});
  int flat = model.Input("flat", {1, 32});
  int cube = model.Input("cube", {4, 4, 2});
  int deep = model.Input("deep", {1, 1, 4, 4, 2});
  int ints = model.Tensor("ints", {1, 4, 4, 2}, kTfLiteInt32);
  int y = model.Tensor("y", {1, 4, 4, 2});
  int w = model.Constant("w", {2, 1, 1, 2}, {1, 2, 3, 4});
};

TEST_F(Parse, TypesAndRanks) {
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {x}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {ints}), "its input 'ints' is int32 (type 2); the delegate runs float32");
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {deep}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {w}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {}), "its input is missing");
  model.At(y).type = kTfLiteFloat16;
  EXPECT_EQ(Reason(kTfLiteBuiltinRelu, {x}), "its output 'y' is float16 (type 10); the delegate runs float32");
}

TEST_F(Parse, MissingParametersAreSaid) {
  for (const int32_t code : {kTfLiteBuiltinConv2d, kTfLiteBuiltinDepthwiseConv2d, kTfLiteBuiltinFullyConnected,
                             kTfLiteBuiltinAdd, kTfLiteBuiltinMaxPool2d, kTfLiteBuiltinMean, kTfLiteBuiltinSoftmax,
                             kTfLiteBuiltinConcatenation, kTfLiteBuiltinReshape, kTfLiteBuiltinStridedSlice}) {
    EXPECT_EQ(Reason(code, {x}), "the file holds no parameters for it") << code;
  }
}

// The converter predicts by that list what the plugin will take.
TEST_F(Parse, TakesTheOperatorsOfTheList) {
  const std::set<std::string> listed{
#define MCPRUNER_OPERATOR(name, cost) #name,
#include "format/operators.inc"
#undef MCPRUNER_OPERATOR
  };
  std::set<std::string> found;
  for (int32_t code = 0; code < 256; ++code) {
    TfLiteRegistration registration{};
    registration.builtin_code = code;
    const std::string name = OpName(registration), reason = Reason(code, {x});
    const bool stays =
        reason == "the delegate does not run " + name || reason.find("stays with TFLite") != std::string::npos;
    if (!stays && code != kTfLiteBuiltinCustom) found.insert(name);
  }
  EXPECT_EQ(found, listed);
}

TEST_F(Parse, PowersWithAFunctionOfTheirOwn) {
  for (const float exponent : {2.0f, 0.5f, -0.5f}) {
    EXPECT_EQ(Reason(kTfLiteBuiltinPow, {x, model.Constant("exponent", {}, {exponent})}), "");
  }
  EXPECT_EQ(Reason(kTfLiteBuiltinPow, {x, model.Constant("exponent", {}, {3.0f})}),
            "its exponent is 3.000000; the delegate runs 2, 0.5 and -0.5");
  const std::string reason = "its exponent is not one constant number without dimensions";
  EXPECT_EQ(Reason(kTfLiteBuiltinPow, {x, x}), reason);
  EXPECT_EQ(Reason(kTfLiteBuiltinPow, {x, model.Constant("exponents", {1}, {2.0f})}), reason);
}

TEST_F(Parse, Convolutions) {
  TfLiteConvParams params = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, w}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {flat, w}, &params), "expected an input of 4 dimensions, got 2");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, x}, &params), "its filter 'x' is not a float32 constant of the file");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, model.Constant("depthwise", {4, 1, 1, 1}, {1, 2, 3, 4})}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, model.Constant("odd", {3, 1, 1, 1}, {1, 2, 3})}, &params),
            "its 3 filters of 1 channels share an input of 2 channels in no whole groups");
  const int two = model.Constant("two", {2, 1, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {model.Input("wide", {1, 4, 4, 4}), two}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {model.Input("odd", {1, 4, 4, 3}), two}, &params),
            "its 2 filters of 2 channels share an input of 3 channels in no whole groups");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {model.Input("wider", {1, 4, 4, 6}), two}, &params),
            "its 2 filters of 2 channels share an input of 6 channels in no whole groups");
  const int bias = model.Constant("b", {3}, {1, 2, 3});
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, w, bias}, &params), "expected 2 biases, got 3");
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, bias}, &params),
            "expected a filter [filters, rows, columns, channels], got [3]");
  params.padding = kTfLitePaddingUnknown;
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, w}, &params), "its padding (number 0) is neither SAME nor VALID");
  params.activation = static_cast<TfLiteFusedActivation>(4);
  EXPECT_EQ(Reason(kTfLiteBuiltinConv2d, {x, w}, &params),
            "its fused activation (number 4) is none of NONE, RELU, RELU_N1_TO_1, RELU6");
}

// Two filters of 1x2 weights for two channels, of which the blob has the second one first: one weight for each phase.
TEST_F(Parse, PackedTransposedConvolutionsKeepTheirGroups) {
  SparseLayer layer = *SparseLayerFromDense(LayerKind::kTransposeConv2D, {2, 1, 2, 2},
                                            std::vector<float>{1, 0, 2, 0, 3, 0, 4, 0}, std::vector<float>{5, 6}, 2);
  layer.permutation = {1, 0};
  const auto same = format::Padding_Same;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::CreateSparseOptions(builder, 1, same, 0, 0, 0, 0, /*stride_h=*/1, /*stride_w=*/2, 1, 1,
                                             format::Activation_None, false, 1, /*output_height=*/4,
                                             /*output_width=*/8));
  const Span<const uint8_t> bytes(builder.GetBufferPointer(), builder.GetSize());
  NodePlan plan;
  ASSERT_EQ(SetSparseParams(std::make_shared<const SparseLayer>(layer), bytes, &cache, &plan).message(), "");
  const SparseLayer& phases = *std::get<ConvParams>(plan.params).layer;
  EXPECT_EQ(phases.kind, LayerKind::kConv2D);
  EXPECT_EQ(phases.permutation, (std::vector<uint16_t>{1, 0, 3, 2}));
  EXPECT_EQ(phases.bias, (std::vector<float>{5, 6, 5, 6}));
  // The channel that has no weights is gone.
  EXPECT_EQ(std::vector<float>(phases.values.begin(), phases.values.end()), (std::vector<float>{1, 3, 2, 4}));
  const auto& pixels = std::get<PixelBlocks>(plan.deferred);
  EXPECT_EQ(pixels.input, (Dims{-1, 4, 4, 2}));
  EXPECT_EQ(pixels.output, (Dims{-1, 4, 8, 2}));
}

TEST_F(Parse, TransposedConvolutions) {
  TfLiteTransposeConvParams4 params = {{kTfLitePaddingSame, 2, 2}, static_cast<TfLiteFusedActivation>(4)};
  const auto reason = [&](const std::vector<int32_t>& shape, int filter, int version = 3) {
    const int output = model.Ints("shape", {static_cast<int>(shape.size())}, shape);
    return Reason(kTfLiteBuiltinTransposeConv, {output, filter, x}, &params, version);
  };
  EXPECT_EQ(reason({1, 8, 8, 2}, w), "");
  EXPECT_EQ(reason({1, 8, 8, 2}, w, 4), "its fused activation (number 4) is none of NONE, RELU, RELU_N1_TO_1, RELU6");
  EXPECT_EQ(reason({1, 8, 8, 3}, w), "its output shape [1, 8, 8, 3] does not fit its 2 filters");
  EXPECT_EQ(reason({1, 8, 8}, w), "its output shape [1, 8, 8] does not fit its 2 filters");
  EXPECT_EQ(reason({1, 8, 8, 2}, x), "its filter 'x' is not a float32 constant of the file");
  EXPECT_EQ(reason({1, 0, 8, 2}, w),
            "expected an output of at least 1, and a filter and a stride of 1 to 65535, got 0, 1 and 2");
  EXPECT_EQ(Reason(kTfLiteBuiltinTransposeConv, {ints, w, x}, &params),
            "its output shape 'ints' is not an int32 constant of the file");
  const int bias = model.Constant("b", {3}, {1, 2, 3}), shape = model.Ints("shape", {4}, {1, 8, 8, 2});
  EXPECT_EQ(Reason(kTfLiteBuiltinTransposeConv, {shape, w, x, bias}, &params), "expected 2 biases, got 3");
  EXPECT_EQ(Reason(kTfLiteBuiltinTransposeConv, {shape, w, x}), "the file holds no parameters for it");
  params.params.stride_height = 256;
  EXPECT_EQ(reason({1, 1024, 8, 2}, w), "");
  params.params.stride_width = 256;
  EXPECT_EQ(reason({1, 1024, 1024, 2}, w),
            "it is a convolution of 131072 filters with 1 kernel positions, which is too large");
  params.params.padding = kTfLitePaddingValid;
  const int large = model.Constant("large", {2, 3, 3, 2}, std::vector<float>(36));
  EXPECT_EQ(reason({1, 2, 8, 2}, large), "its output of 2 is smaller than its filter of 3");
}

TEST_F(Parse, DepthwiseFiltersMustFit) {
  TfLiteDepthwiseConvParams params = {kTfLitePaddingValid, 1, 1, 0, kTfLiteActNone, 1, 1};
  EXPECT_EQ(Reason(kTfLiteBuiltinDepthwiseConv2d, {x, model.Constant("d", {1, 1, 1, 4}, {1, 2, 3, 4})}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinDepthwiseConv2d, {x, w}, &params),
            "expected a filter [1, rows, columns, filters], got [2, 1, 1, 2]");
}

TEST_F(Parse, FullyConnectedWeightsOfInt8KernelsAreRefused) {
  TfLiteFullyConnectedParams params = {kTfLiteActNone, 1, false};
  EXPECT_EQ(Reason(kTfLiteBuiltinFullyConnected, {flat, w}, &params), "its weights are shuffled for int8");
}

TEST_F(Parse, BroadcastingOfComputedTensors) {
  TfLiteBinaryParams params = {kTfLiteActNone};
  EXPECT_EQ(Reason(kTfLiteBuiltinAdd, {x, model.Input("v", {2})}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinAdd, {x, model.Constant("c", {4, 2}, std::vector<float>(8))}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinSub, {cube, x}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinMul, {w, w}, &params), "both of its inputs are constants");
}

TEST_F(Parse, FunctionsOfTwoTensorsNeedParametersForAnActivationOnly) {
  EXPECT_EQ(Reason(kTfLiteBuiltinPrelu, {x, model.Constant("slope", {2}, {0.5f, 2})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinAdd, {x, x}), "the file holds no parameters for it");
}

TEST_F(Parse, Resizes) {
  TfLiteResizeParams params = {false, true};
  const int size = model.Ints("size", {2}, {8, 8});
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {x, size}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeNearestNeighbor, {x, size}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {x, ints}, &params),
            "its new size 'ints' is not an int32 constant of the file");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {x, model.Ints("size", {3}, {8, 8, 8})}, &params),
            "its new size is no height and width");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {cube, size}, &params), "expected an input of 4 dimensions, got 3");
  params.align_corners = true;
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeNearestNeighbor, {x, size}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {x, size}, &params),
            "it has both align_corners and half_pixel_centers, which TFLite refuses");
  EXPECT_EQ(Reason(kTfLiteBuiltinResizeBilinear, {x, size}), "the file holds no parameters for it");
}

TEST_F(Parse, Blocks) {
  TfLiteBlockParams params = {2};
  for (const int32_t code : {kTfLiteBuiltinDepthToSpace, kTfLiteBuiltinSpaceToDepth}) {
    EXPECT_EQ(Reason(code, {x}, &params), "");
    EXPECT_EQ(Reason(code, {cube}, &params), "expected an input of 4 dimensions, got 3");
    EXPECT_EQ(Reason(code, {x}), "the file holds no parameters for it");
  }
}

TEST_F(Parse, Means) {
  TfLiteReducerParams params = {false};
  const auto mean = [&](int input, const std::vector<int32_t>& axes) {
    return Reason(kTfLiteBuiltinMean, {input, model.Ints("axes", {static_cast<int>(axes.size())}, axes)}, &params);
  };
  EXPECT_EQ(mean(x, {1, 2}), "");
  EXPECT_EQ(mean(x, {-2, 1, 2}), "");
  EXPECT_EQ(mean(cube, {1}), "");
  EXPECT_EQ(mean(x, {3, 1, 2}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinSum, {x, ints}, &params),
            "its list of axes 'ints' is not an int32 constant of the file");
}

TEST_F(Parse, Pads) {
  EXPECT_EQ(Reason(kTfLiteBuiltinPad, {flat, model.Ints("p", {2, 2}, {0, 0, 1, 1})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinPad, {x, model.Ints("p", {3}, {0, 0, 1})}),
            "its list of paddings is no list of pairs");
  EXPECT_EQ(Reason(kTfLiteBuiltinPad, {x, ints}), "its list of paddings 'ints' is not an int32 constant of the file");
  const int zeros = model.Ints("p", {4, 2}, std::vector<int32_t>(8));
  EXPECT_EQ(Reason(kTfLiteBuiltinPadv2, {x, zeros, model.Constant("v", {}, {2})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinPadv2, {x, zeros, model.Constant("v", {2}, {2, 3})}),
            "its padding value is not one number");
  const auto value = [&](int32_t code, std::vector<int> inputs) {
    ModelView view;
    view.context = model.context();
    return std::get<Paddings>(ParseNode(view, model.Ref(model.Node(code, inputs, {y})), &cache)->front().deferred)
        .value;
  };
  EXPECT_EQ(value(kTfLiteBuiltinPad, {x, zeros, model.Constant("v", {}, {2})}), 2.0f);
  EXPECT_EQ(value(kTfLiteBuiltinPadv2, {x, zeros}), 0.0f);
}

TEST_F(Parse, MirrorPads) {
  const int zeros = model.Ints("p", {4, 2}, std::vector<int32_t>(8));
  TfLiteMirrorPadParams params = {kTfLiteMirrorPaddingReflect};
  EXPECT_EQ(Reason(kTfLiteBuiltinMirrorPad, {x, zeros}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinMirrorPad, {x, ints}, &params),
            "its list of paddings 'ints' is not an int32 constant of the file");
  params.mode = static_cast<TfLiteMirrorPaddingMode>(3);
  EXPECT_EQ(Reason(kTfLiteBuiltinMirrorPad, {x, zeros}, &params),
            "its mode 3 is neither REFLECT (1) nor SYMMETRIC (2)");
}

TEST_F(Parse, GathersOfConstantIndices) {
  TfLiteGatherParams params = {-1, 0};
  const auto gathered = [&](const std::vector<int32_t>& indices) {
    ModelView view;
    view.context = model.context();
    const int list = model.Ints("i", {static_cast<int>(indices.size())}, indices);
    const auto plans = ParseNode(view, model.Ref(model.Node(kTfLiteBuiltinGather, {x, list}, {y}, &params)), &cache);
    std::string runs;
    for (const auto& run : std::get<GatheredAxis>(plans->front().deferred).runs) {
      runs += DimsText({run.begin, run.stride, run.count});
    }
    return runs;
  };
  EXPECT_EQ(gathered({3}), "[3, 1, 1]");
  EXPECT_EQ(gathered({2, 1, 0}), "[2, -1, 3]");
  EXPECT_EQ(gathered({0, 2, 4, 5, 6, 6}), "[0, 2, 3][5, 1, 2][6, 1, 1]");
  EXPECT_EQ(gathered({5, 5}), "[5, 1, 1][5, 1, 1]");
  EXPECT_EQ(gathered({0, 4, 1, 5}), "[0, 4, 2][1, 4, 2]");
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, ints}, &params),
            "its list of indices 'ints' is not an int32 constant of the file");
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, model.Ints("i", {2}, {0, -1})}, &params),
            "its list of indices is empty, or has a negative one");
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, model.Ints("i", {65}, std::vector<int32_t>(65))}, &params),
            "its indices are 65 runs of equal steps; the delegate puts up to 64 together");
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, model.Ints("i", {64}, std::vector<int32_t>(64))}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, ints}), "the file holds no parameters for it");
  params.batch_dims = 1;
  EXPECT_EQ(Reason(kTfLiteBuiltinGather, {x, ints}, &params), "its indices differ from batch to batch");
}

TEST_F(Parse, L2Normalizations) {
  TfLiteL2NormParams params = {kTfLiteActNone};
  EXPECT_EQ(Reason(kTfLiteBuiltinL2Normalization, {x}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinL2Normalization, {x}), "the file holds no parameters for it");
  params.activation = kTfLiteActRelu;
  EXPECT_EQ(Reason(kTfLiteBuiltinL2Normalization, {x}, &params), "it has a fused activation, which TFLite refuses");
}

TEST_F(Parse, Concatenations) {
  TfLiteConcatenationParams params = {-1, kTfLiteActNone};
  EXPECT_EQ(Reason(kTfLiteBuiltinConcatenation, {x, x}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinConcatenation, {w, w}, &params), "it has no computed input");
  params = {1, kTfLiteActRelu};
  EXPECT_EQ(Reason(kTfLiteBuiltinConcatenation, {x, x}, &params), "it has a fused activation");
}

TEST_F(Parse, Reshapes) {
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x, model.Ints("s", {2}, {-1, 32})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x, model.Ints("s", {2}, {-1, -1})}),
            "its new shape [-1, -1] has more than one unknown dimension");
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x, model.Ints("s", {5}, {1, 1, 1, 1, 32})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {deep, model.Ints("s", {1}, {32})}), "");
  const int computed = model.Tensor("computed", {2}, kTfLiteInt32);
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x, computed}),
            "its new shape 'computed' is not an int32 constant of the file");
  TfLiteReshapeParams params = {{1, 32}, 2};
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x}, &params), "");
  params.num_dimensions = 9;
  EXPECT_EQ(Reason(kTfLiteBuiltinReshape, {x}, &params), "the file holds no parameters for it");
}

TEST_F(Parse, ReshapesWithoutAListOfSizesGoByTheirParameters) {
  TfLiteReshapeParams params = {{0}, 1};
  const auto dims = [&](const std::vector<int>& inputs) {
    ModelView view;
    view.context = model.context();
    const auto plans = ParseNode(view, model.Ref(model.Node(kTfLiteBuiltinReshape, inputs, {y}, &params)), &cache);
    return plans.ok() ? std::get<NewShape>(plans->front().deferred).dims : Dims{-9};
  };
  EXPECT_EQ(dims({x}), Dims());  // a scalar
  EXPECT_EQ(dims({x, model.Ints("scalar", {}, {32})}), Dims());
  EXPECT_EQ(dims({x, model.Ints("list", {1}, {32})}), Dims{32});
  params = {{4, 8}, 2};
  EXPECT_EQ(dims({x}), (Dims{4, 8}));
}

TEST_F(Parse, OneOutput) {
  ModelView view;
  view.context = model.context();
  for (const std::vector<int>& outputs : {std::vector<int>{}, std::vector<int>{y, x}}) {
    EXPECT_EQ(ParseNode(view, model.Ref(model.Node(kTfLiteBuiltinRelu, {x}, outputs)), &cache).message(),
              "it has " + std::to_string(outputs.size()) + " outputs instead of one");
  }
}

TEST_F(Parse, StridedSlices) {
  TfLiteStridedSliceParams params = {};
  const int zeros = model.Ints("b", {4}, {0, 0, 0, 0}), ones = model.Ints("s", {4}, {1, 1, 1, 1});
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, ones}, &params), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, ones}, &params, 8),
            "it is of version 8 or later; the delegate runs up to 7");
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, zeros}, &params), "it has a stride of 0");
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, model.Ints("s", {2}, {1, 1})}, &params),
            "its lists of begins, ends and strides differ in length");
  params.shrink_axis_mask = 1;
  params.new_axis_mask = 2;
  params.ellipsis_mask = 4;
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, ones}, &params), "");
  params.new_axis_mask = 1;
  EXPECT_EQ(Reason(kTfLiteBuiltinStridedSlice, {x, zeros, ones, ones}, &params),
            "it has two ellipses, or an axis that is new and removed");
}

TEST_F(Parse, PartsNeedSizesOfParts) {
  const int axis = model.Ints("axis", {}, {3}), both = model.Ints("axes", {2}, {1, 2});
  EXPECT_EQ(Reason(kTfLiteBuiltinSplit, {axis, x}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinSplit, {both, x}), "its axis is not one number");
  EXPECT_EQ(Reason(kTfLiteBuiltinSplitV, {x, model.Ints("s", {1}, {2}), axis}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinSplitV, {x, both, axis}), "its list of sizes is not as long as that of its outputs");
  EXPECT_EQ(Reason(kTfLiteBuiltinSplitV, {x, model.Ints("s", {1}, {-2}), axis}),
            "its sizes [-2] are not those of parts");
  EXPECT_EQ(Reason(kTfLiteBuiltinSlice, {x, both, model.Ints("s", {2}, {1, -1})}), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinSlice, {x, both, axis}), "its lists of begins and sizes differ in length");
  EXPECT_EQ(Reason(kTfLiteBuiltinSlice, {x, model.Ints("b", {1}, {-1}), model.Ints("s", {1}, {1})}),
            "it begins at [-1] with sizes [1]");
  EXPECT_EQ(Reason(kTfLiteBuiltinExpandDims, {x, axis}), "");
  TfLiteSqueezeParams squeeze = {{0}, 9};
  EXPECT_EQ(Reason(kTfLiteBuiltinSqueeze, {x}, &squeeze), "the file holds no parameters for it");
  TfLitePackParams pack = {2, 0};
  EXPECT_EQ(Reason(kTfLiteBuiltinPack, {x, w}, &pack), "");
  EXPECT_EQ(Reason(kTfLiteBuiltinPack, {w, w}, &pack), "it has no computed input");
}

TEST_F(Parse, SparseOpsOfAnotherVersion) {
  NodeRef node = model.Ref(model.CustomNode("McprunerSparseFullyConnected", {x, w}, {y}, {}));
  TfLiteRegistration registration = *node.registration;
  registration.version = 2;
  node.registration = &registration;
  ModelView view;
  view.context = model.context();
  EXPECT_TRUE(IsSparseOp(registration));
  EXPECT_EQ(ParseNode(view, node, &cache).message(),
            "it has version 2, this delegate runs version 1; use the delegate that came with the converter");
  registration.version = 1;
  EXPECT_EQ(ParseNode(view, node, &cache).message(), "its sparse layer 'w' is not a uint8 constant of the file");
}

}  // namespace
}  // namespace mcpruner
