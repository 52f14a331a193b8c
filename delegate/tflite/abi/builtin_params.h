// These are the codes and parameters of TFLite's builtin operators, declared by us (tflite_abi.h says why).
//
// TfLiteNode::builtin_data points at one of these structs, which the runtime allocates. Each struct stops at the last
// field that TFLite 2.9 has, since reading further would leave an older runtime's allocation. The operator's version
// (TfLiteRegistration::version) tells what later fields would say.

#ifndef MCPRUNER_DELEGATE_TFLITE_ABI_BUILTIN_PARAMS_H_
#define MCPRUNER_DELEGATE_TFLITE_ABI_BUILTIN_PARAMS_H_

#include <cstddef>
#include <cstdint>

// These are the schema's BuiltinOperator numbers.
enum TfLiteBuiltinOperator : int32_t {
  kTfLiteBuiltinAdd = 0,
  kTfLiteBuiltinAveragePool2d = 1,
  kTfLiteBuiltinConcatenation = 2,
  kTfLiteBuiltinConv2d = 3,
  kTfLiteBuiltinDepthwiseConv2d = 4,
  kTfLiteBuiltinDepthToSpace = 5,
  kTfLiteBuiltinDequantize = 6,
  kTfLiteBuiltinFullyConnected = 9,
  kTfLiteBuiltinL2Normalization = 11,
  kTfLiteBuiltinLogistic = 14,
  kTfLiteBuiltinMaxPool2d = 17,
  kTfLiteBuiltinMul = 18,
  kTfLiteBuiltinRelu = 19,
  kTfLiteBuiltinReluN1To1 = 20,
  kTfLiteBuiltinRelu6 = 21,
  kTfLiteBuiltinReshape = 22,
  kTfLiteBuiltinResizeBilinear = 23,
  kTfLiteBuiltinSoftmax = 25,
  kTfLiteBuiltinSpaceToDepth = 26,
  kTfLiteBuiltinTanh = 28,
  kTfLiteBuiltinCustom = 32,
  kTfLiteBuiltinPad = 34,
  kTfLiteBuiltinGather = 36,
  kTfLiteBuiltinTranspose = 39,
  kTfLiteBuiltinMean = 40,
  kTfLiteBuiltinSub = 41,
  kTfLiteBuiltinDiv = 42,
  kTfLiteBuiltinSqueeze = 43,
  kTfLiteBuiltinStridedSlice = 45,
  kTfLiteBuiltinExp = 47,
  kTfLiteBuiltinSplit = 49,
  kTfLiteBuiltinDelegate = 51,
  kTfLiteBuiltinPrelu = 54,
  kTfLiteBuiltinMaximum = 55,
  kTfLiteBuiltinMinimum = 57,
  kTfLiteBuiltinNeg = 59,
  kTfLiteBuiltinPadv2 = 60,
  kTfLiteBuiltinSlice = 65,
  kTfLiteBuiltinTransposeConv = 67,
  kTfLiteBuiltinExpandDims = 70,
  kTfLiteBuiltinLog = 73,
  kTfLiteBuiltinSum = 74,
  kTfLiteBuiltinSqrt = 75,
  kTfLiteBuiltinRsqrt = 76,
  kTfLiteBuiltinPow = 78,
  kTfLiteBuiltinReduceMax = 82,
  kTfLiteBuiltinPack = 83,
  kTfLiteBuiltinUnpack = 88,
  kTfLiteBuiltinReduceMin = 89,
  kTfLiteBuiltinSquare = 92,
  kTfLiteBuiltinResizeNearestNeighbor = 97,
  kTfLiteBuiltinLeakyRelu = 98,
  kTfLiteBuiltinSquaredDifference = 99,
  kTfLiteBuiltinMirrorPad = 100,
  kTfLiteBuiltinAbs = 101,
  kTfLiteBuiltinSplitV = 102,
  kTfLiteBuiltinElu = 111,
  kTfLiteBuiltinHardSwish = 117,
  kTfLiteBuiltinDensify = 124,
  kTfLiteBuiltinGelu = 150,
};

enum TfLitePadding : int { kTfLitePaddingUnknown = 0, kTfLitePaddingSame = 1, kTfLitePaddingValid = 2 };

enum TfLiteFusedActivation : int {
  kTfLiteActNone = 0,
  kTfLiteActRelu = 1,
  kTfLiteActReluN1To1 = 2,
  kTfLiteActRelu6 = 3,
};

struct TfLiteConvParams {
  TfLitePadding padding;
  int stride_width;
  int stride_height;
  TfLiteFusedActivation activation;
  int dilation_width_factor;
  int dilation_height_factor;
};
static_assert(sizeof(TfLiteConvParams) == 24);

struct TfLiteDepthwiseConvParams {
  TfLitePadding padding;
  int stride_width;
  int stride_height;
  int depth_multiplier;  // not reliable: it follows from the shapes
  TfLiteFusedActivation activation;
  int dilation_width_factor;
  int dilation_height_factor;
};
static_assert(sizeof(TfLiteDepthwiseConvParams) == 28);

struct TfLiteTransposeConvParams {
  TfLitePadding padding;
  int stride_width;
  int stride_height;
};
static_assert(sizeof(TfLiteTransposeConvParams) == 12);

// Version 4 of TRANSPOSE_CONV has an activation.
struct TfLiteTransposeConvParams4 {
  TfLiteTransposeConvParams params;
  TfLiteFusedActivation activation;
};

struct TfLitePoolParams {
  TfLitePadding padding;
  int stride_width;
  int stride_height;
  int filter_width;
  int filter_height;
  TfLiteFusedActivation activation;
};
static_assert(sizeof(TfLitePoolParams) == 24);

struct TfLiteFullyConnectedParams {
  TfLiteFusedActivation activation;
  int weights_format;  // 0: rows of in_channels
  bool keep_num_dims;
};
static_assert(offsetof(TfLiteFullyConnectedParams, keep_num_dims) == 8);

// The parameters of ADD, MUL, SUB and others of binary_functions.inc that take an activation begin with it.
struct TfLiteBinaryParams {
  TfLiteFusedActivation activation;
};

struct TfLiteConcatenationParams {
  int axis;
  TfLiteFusedActivation activation;
};

struct TfLiteL2NormParams {
  TfLiteFusedActivation activation;
};

struct TfLiteGatherParams {
  int axis;
  int batch_dims;
};
static_assert(sizeof(TfLiteGatherParams) == 8);

struct TfLiteReducerParams {
  bool keep_dims;
};

struct TfLiteSoftmaxParams {
  float beta;
};

struct TfLiteLeakyReluParams {
  float alpha;
};

struct TfLiteGeluParams {
  bool approximate;
};

// The parameters of RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR are the same.
struct TfLiteResizeParams {
  bool align_corners;
  bool half_pixel_centers;
};

enum TfLiteMirrorPaddingMode : int { kTfLiteMirrorPaddingReflect = 1, kTfLiteMirrorPaddingSymmetric = 2 };

struct TfLiteMirrorPadParams {
  TfLiteMirrorPaddingMode mode;
};
static_assert(sizeof(TfLiteMirrorPadParams) == 4);

// The parameters of DEPTH_TO_SPACE and SPACE_TO_DEPTH are the same.
struct TfLiteBlockParams {
  int block_size;
};

struct TfLiteReshapeParams {
  int32_t shape[8];
  int num_dimensions;
};
static_assert(offsetof(TfLiteReshapeParams, num_dimensions) == 32);

struct TfLiteSqueezeParams {
  int32_t squeeze_dims[8];
  int num_squeeze_dims;
};
static_assert(offsetof(TfLiteSqueezeParams, num_squeeze_dims) == 32);

struct TfLitePackParams {
  int values_count;
  int axis;
};

struct TfLiteUnpackParams {
  int num;
  int axis;
};

struct TfLiteStridedSliceParams {
  int begin_mask;
  int end_mask;
  int ellipsis_mask;
  int new_axis_mask;
  int shrink_axis_mask;
};
static_assert(sizeof(TfLiteStridedSliceParams) == 20);

#endif  // MCPRUNER_DELEGATE_TFLITE_ABI_BUILTIN_PARAMS_H_
