#include "delegate/tflite/parse/partition_key.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {
namespace {

// A Net is a convolution and a RELU of an image [1, size, size, 1].
struct Net {
  int size = 4;
  float weight = 3;
  int stride = 1;
  std::string prefix;            // of names
  bool constants_first = false;  // which changes the numbers of all tensors
  bool conv_is_output = false;
  TfLiteType type = kTfLiteFloat32;

  PartitionKey Key(int group_size = 0) {
    FakeModel model;
    int filter = 0, bias = 0;
    const auto constants = [&] {
      bias = model.Constant(prefix + "bias", {1}, {1});
      filter = model.Constant(prefix + "filter", {1, 1, 1, 1}, {weight});
    };
    if (constants_first) constants();
    const int x = model.Tensor(prefix + "x", {1, size, size, 1}, type);
    const int y = model.Tensor(prefix + "y", {1, size, size, 1}), z = model.Tensor(prefix + "z", {1, size, size, 1});
    if (!constants_first) constants();
    TfLiteConvParams conv = {kTfLitePaddingSame, stride, stride, kTfLiteActNone, 1, 1};
    const std::vector<NodeRef> nodes = {model.Ref(model.Node(kTfLiteBuiltinConv2d, {x, filter, bias}, {y}, &conv)),
                                        model.Ref(model.Node(kTfLiteBuiltinRelu, {y}, {z}))};
    ModelView view;
    view.context = model.context();
    if (group_size > 0) {
      auto layer = std::make_shared<SparseLayer>();
      layer->group_size = group_size;
      view.packed[0].layer = layer;
    }
    return KeyOf(view, nodes, conv_is_output ? std::vector<int>{z, y} : std::vector<int>{z});
  }
};

TEST(PartitionKey, IsTheSameWhateverTensorsAreCalled) {
  Net net, renamed, reordered;
  renamed.prefix = "other/";
  reordered.constants_first = true;
  EXPECT_EQ(net.Key(), renamed.Key());
  EXPECT_EQ(net.Key(), reordered.Key());
}

TEST(PartitionKey, AnyDifferenceIsAnotherKey) {
  std::vector<Net> nets(6);
  nets[1].size = 5;
  nets[2].weight = 4;
  nets[3].stride = 2;
  nets[4].conv_is_output = true;
  nets[5].type = kTfLiteInt32;
  std::vector<PartitionKey> keys = {nets[0].Key(4), nets[0].Key(8)};
  for (Net& net : nets) keys.push_back(net.Key());
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
  }
}

TEST(PartitionKey, ReadsTheConstantBehindADequantize) {
  std::vector<PartitionKey> keys;
  for (const uint16_t weight : {0x3c00, 0x3c00, 0x4000}) {
    FakeModel model;
    const int half = model.Constant("half", {1, 1}, &weight, sizeof weight, kTfLiteFloat16);
    const int filter = model.Tensor("filter", {1, 1}), x = model.Tensor("x", {1, 1}), y = model.Tensor("y", {1, 1});
    const NodeRef expand = model.Ref(model.Node(kTfLiteBuiltinDequantize, {half}, {filter}));
    TfLiteFullyConnectedParams params = {kTfLiteActNone, 0, false};
    const NodeRef layer = model.Ref(model.Node(kTfLiteBuiltinFullyConnected, {x, filter, -1}, {y}, &params));
    ModelView view;
    view.context = model.context();
    FindExpanded({expand, layer}, &view);
    keys.push_back(KeyOf(view, {layer}, {y}));
  }
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_NE(keys[0], keys[2]);
}

// An older version's parameters end before the activation, so that it must not be read there.
TEST(PartitionKey, HasTheActivationOfATransposedConvolutionFromVersion4On) {
  const auto key = [](int version, TfLiteFusedActivation activation) {
    FakeModel model;
    TfLiteTransposeConvParams4 params = {{kTfLitePaddingSame, 2, 2}, activation};
    const NodeRef node = model.Ref(model.Node(kTfLiteBuiltinTransposeConv, {}, {}, &params));
    TfLiteRegistration registration = *node.registration;
    registration.version = version;
    ModelView view;
    view.context = model.context();
    return KeyOf(view, {{node.index, node.node, &registration}}, {});
  };
  EXPECT_EQ(key(3, kTfLiteActNone), key(3, kTfLiteActRelu));
  EXPECT_NE(key(4, kTfLiteActNone), key(4, kTfLiteActRelu));
}

TEST(PartitionKey, DamagedNodesAreSafe) {
  FakeModel model;
  const NodeRef node = model.Ref(model.Node(kTfLiteBuiltinConv2d, {-1, 1000, -7}, {99}));  // and no parameters
  ModelView view;
  view.context = model.context();
  EXPECT_EQ(KeyOf(view, {node}, {5}), KeyOf(view, {node}, {}));
}

TEST(PartitionKey, IsWrittenAs32Digits) {
  EXPECT_EQ(KeyText({0x1234, 0xfedcba9876543210}), "0000000000001234fedcba9876543210");
}

}  // namespace
}  // namespace mcpruner
