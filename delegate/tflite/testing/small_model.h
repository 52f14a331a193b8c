// A SmallModel is a network in the fake runtime with a packed layer and others beside it, whose numbers a test can ask
// for again.
//
//     x [1, h, w, 3] - packed 2x2 conv of 5 filters - 3x3 conv, RELU - MEAN - FULLY_CONNECTED - y [1, 4]
//                      (tests/golden/readme.mcp)     + ADD of both convolutions, an output of its own

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_SMALL_MODEL_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_SMALL_MODEL_H_

#include <vector>

#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {

class SmallModel {
 public:
  // With `packed` false the first layer is dense too: backend auto leaves the model to TFLite.
  explicit SmallModel(bool packed = true);

  FakeModel& runtime() { return model_; }
  // Resizes the input and allocates.
  TfLiteStatus Allocate(int height, int width);
  // Runs one inference on numbers that depend on the sizes only.
  TfLiteStatus Invoke();
  // Returns both outputs, one behind the other.
  std::vector<float> Outputs();

 private:
  FakeModel model_;
  int x_ = 0, sum_ = 0, y_ = 0;
  TfLiteConvParams conv_ = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  TfLiteConvParams relu_conv_ = {kTfLitePaddingSame, 1, 1, kTfLiteActRelu, 1, 1};
  TfLiteBinaryParams add_ = {kTfLiteActNone};
  TfLiteReducerParams mean_ = {false};
  TfLiteFullyConnectedParams fully_connected_ = {kTfLiteActNone, 0, false};
};

// Returns what the reference backend makes of it.
std::vector<float> ReferenceOutputs(int height, int width);
// Returns whether they agree within what float32 sums differ by.
bool Agree(const std::vector<float>& outputs, const std::vector<float>& expected);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_SMALL_MODEL_H_
