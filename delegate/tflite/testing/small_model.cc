#include "delegate/tflite/testing/small_model.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include "delegate/tflite/mcpruner_delegate.h"
#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

constexpr int kFilters = 5;  // of both convolutions

std::vector<uint8_t> ReadBlob() {
  std::ifstream file("tests/golden/readme.mcp", std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

std::vector<uint8_t> SamePaddingOptions() {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::CreateSparseOptions(builder, 1, format::Padding_Same));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Returns numbers between -1 and 1.
std::vector<float> Numbers(size_t count) {
  std::vector<float> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>((i * 37 + 11) % 64) / 32.0f - 1.0f;
  return numbers;
}

}  // namespace

SmallModel::SmallModel(bool packed) {
  x_ = model_.Input("x", {1, 4, 6, 3});
  const int first = model_.Tensor("first", {1, 4, 6, kFilters}), second = model_.Tensor("second", {1, 4, 6, kFilters});
  const int mean = model_.Tensor("mean", {1, kFilters});
  sum_ = model_.Tensor("sum", {1, 4, 6, kFilters});
  y_ = model_.Tensor("y", {1, 4});
  const int bias = model_.Constant("bias", {kFilters}, Numbers(kFilters));
  if (packed) {
    const std::vector<uint8_t> blob = ReadBlob();
    const int layer = model_.Constant("layer", {static_cast<int>(blob.size())}, blob.data(), blob.size(), kTfLiteUInt8);
    model_.CustomNode("McprunerSparseConv2D", {x_, layer}, {first}, SamePaddingOptions());
  } else {
    const int filters = model_.Constant("filters", {kFilters, 1, 1, 3}, Numbers(kFilters * 3));
    model_.Node(kTfLiteBuiltinConv2d, {x_, filters, bias}, {first}, &conv_);
  }
  const int filters = model_.Constant("filters", {kFilters, 3, 3, kFilters}, Numbers(kFilters * 9 * kFilters));
  model_.Node(kTfLiteBuiltinConv2d, {first, filters, bias}, {second}, &relu_conv_);
  model_.Node(kTfLiteBuiltinAdd, {first, second}, {sum_}, &add_);
  model_.Node(kTfLiteBuiltinMean, {second, model_.Ints("axes", {2}, {1, 2})}, {mean}, &mean_);
  const int weights = model_.Constant("weights", {4, kFilters}, Numbers(4 * kFilters));
  const int offsets = model_.Constant("offsets", {4}, Numbers(4));
  model_.Node(kTfLiteBuiltinFullyConnected, {mean, weights, offsets}, {y_}, &fully_connected_);
  model_.Output(sum_);
  model_.Output(y_);
}

TfLiteStatus SmallModel::Allocate(int height, int width) {
  model_.Resize(x_, {1, height, width, 3});
  return model_.Allocate();
}

TfLiteStatus SmallModel::Invoke() {
  const std::vector<float> numbers = Numbers(model_.At(x_).bytes / sizeof(float));
  if (model_.Data(x_) != nullptr) std::copy(numbers.begin(), numbers.end(), model_.Data(x_));
  return model_.Invoke();
}

std::vector<float> SmallModel::Outputs() {
  std::vector<float> outputs;
  for (const int tensor : {sum_, y_}) {
    const float* const data = model_.Data(tensor);
    outputs.insert(outputs.end(), data, data + model_.At(tensor).bytes / sizeof(float));
  }
  return outputs;
}

std::vector<float> ReferenceOutputs(int height, int width) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  options.backend = "reference";
  options.verbosity = 0;
  TfLiteDelegate* const delegate = McprunerDelegateCreate(&options);
  std::vector<float> outputs;
  {
    SmallModel model;
    if (model.runtime().Apply(delegate) == kTfLiteOk && model.Allocate(height, width) == kTfLiteOk &&
        model.Invoke() == kTfLiteOk) {
      outputs = model.Outputs();
    }
  }
  McprunerDelegateDelete(delegate);
  return outputs;
}

bool Agree(const std::vector<float>& outputs, const std::vector<float>& expected) {
  if (outputs.size() != expected.size() || outputs.empty()) return false;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!(std::abs(outputs[i] - expected[i]) <= 1e-5f * (1 + std::abs(expected[i])))) return false;
  }
  return true;
}

}  // namespace mcpruner
