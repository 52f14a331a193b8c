#include "delegate/opencl/bench/networks.h"

#include <algorithm>
#include <random>
#include <utility>

#include "delegate/graph/testing/pattern_layer.h"

namespace mcpruner {
namespace {

constexpr int kGroupSize = 4;

PatternShape ShapeAt(const DenseShape& shape, double density, LayerKind kind) {
  const int positions = shape.kernel_height * shape.kernel_width;
  const int kept = density < 1 ? std::max(1, positions * 4 / 9) : positions;
  return {shape, kGroupSize, kept, density * positions / kept, kind};
}

class NetworkMaker {
 public:
  NetworkMaker(const Shape& input, double density) : density_(density) { graph_.inputs = {AddTensor(input)}; }

  int Conv(int x, int filters, int kernel, int stride, Activation activation) {
    const Shape in = graph_.tensor(x).shape;
    const int size = (in.h + stride - 1) / stride;
    const int pad = std::max((size - 1) * stride + kernel - in.h, 0);
    ConvParams params;
    params.window = {stride, stride, 1, 1, {pad / 2, pad - pad / 2, pad / 2, pad - pad / 2}};
    const double density = in.c <= 3 ? 1.0 : density_;
    params.layer = PatternLayer(rng_, ShapeAt({filters, kernel, kernel, in.c}, density, LayerKind::kConv2D));
    return Add(OpType::kConv, {x}, {in.n, size, size, filters}, std::move(params), activation);
  }

  int MaxPool(int x, int filter, int pad_behind) {
    const Shape in = graph_.tensor(x).shape;
    const PoolParams params{{2, 2, 1, 1, {0, pad_behind, 0, pad_behind}}, filter, filter};
    return Add(OpType::kMaxPool, {x}, {in.n, in.h / 2, in.w / 2, in.c}, params, Activation::kNone);
  }

  int AddRelu(int a, int b) { return Add(OpType::kAdd, {a, b}, graph_.tensor(a).shape, NoParams(), Activation::kRelu); }

  int Mean(int x) {
    const Shape in = graph_.tensor(x).shape;
    return Add(OpType::kMean, {x}, {in.n, 1, 1, in.c}, ReduceParams{}, Activation::kNone);
  }

  int FullyConnected(int x, int filters, double density, Activation activation) {
    const Shape in = graph_.tensor(x).shape;
    const int channels = in.h * in.w * in.c;
    FullyConnectedParams params;
    params.layer = PatternLayer(rng_, ShapeAt({filters, 1, 1, channels}, density, LayerKind::kFullyConnected));
    return Add(OpType::kFullyConnected, {x}, {in.n, 1, 1, filters}, std::move(params), activation);
  }

  Graph Finish(int output) {
    graph_.outputs = {output};
    return std::move(graph_);
  }

  int input() const { return graph_.inputs[0]; }

 private:
  int AddTensor(const Shape& shape) {
    graph_.tensors.emplace_back();
    graph_.tensors.back().shape = shape;
    return static_cast<int>(graph_.tensors.size()) - 1;
  }

  int Add(OpType type, std::vector<int> inputs, const Shape& shape, OpParams params, Activation activation) {
    const int output = AddTensor(shape);
    graph_.ops.push_back(
        {type, "op " + std::to_string(output), std::move(inputs), output, activation, std::move(params)});
    return output;
  }

  std::mt19937 rng_{1};
  const double density_;
  Graph graph_;
};

}  // namespace

std::string ConvShape::Name() const {
  const std::string channels = std::to_string(in_channels), width = std::to_string(size), k = std::to_string(kernel);
  return channels + "x" + width + "x" + width + " -> " + std::to_string(out_channels) + ", " + k + "x" + k +
         (stride > 1 ? " s" + std::to_string(stride) : "");
}

std::vector<ConvShape> PrototypeLayers() {
  return {{64, 64, 56, 3, 1}, {128, 128, 28, 3, 1}, {256, 256, 14, 3, 1}, {512, 512, 7, 3, 1}, {64, 64, 224, 3, 1}};
}

std::vector<ConvShape> Vgg16Layers() {
  return {{64, 64, 224, 3, 1},     {64, 128, 112, 3, 1}, {128, 128, 112, 3, 1},   {128, 256, 56, 3, 1},
          {256, 256, 56, 3, 1, 2}, {256, 512, 28, 3, 1}, {512, 512, 28, 3, 1, 2}, {512, 512, 14, 3, 1, 3}};
}

std::vector<ConvShape> ResNet18Layers() {
  return {{64, 64, 56, 3, 1, 4}, {64, 128, 56, 3, 2},   {64, 128, 56, 1, 2},     {128, 128, 28, 3, 1, 3},
          {128, 256, 28, 3, 2},  {128, 256, 28, 1, 2},  {256, 256, 14, 3, 1, 3}, {256, 512, 14, 3, 2},
          {256, 512, 14, 1, 2},  {512, 512, 7, 3, 1, 3}};
}

Graph LayerGraph(const ConvShape& shape, int batch, double density) {
  NetworkMaker net({batch, shape.size, shape.size, shape.in_channels}, density);
  return net.Finish(net.Conv(net.input(), shape.out_channels, shape.kernel, shape.stride, Activation::kNone));
}

Graph Vgg16(int batch, double density) {
  NetworkMaker net({batch, 224, 224, 3}, density);
  int x = net.input(), filters = 64;
  for (const int convs : {2, 2, 3, 3, 3}) {
    for (int i = 0; i < convs; ++i) x = net.Conv(x, filters, 3, 1, Activation::kRelu);
    x = net.MaxPool(x, 2, 0);
    filters = std::min(filters * 2, 512);
  }
  x = net.FullyConnected(x, 4096, density, Activation::kRelu);
  x = net.FullyConnected(x, 4096, density, Activation::kRelu);
  return net.Finish(net.FullyConnected(x, 1000, 1.0, Activation::kNone));
}

Graph ResNet18(int batch, double density) {
  NetworkMaker net({batch, 224, 224, 3}, density);
  int x = net.MaxPool(net.Conv(net.input(), 64, 7, 2, Activation::kRelu), 3, 1);
  for (const int filters : {64, 128, 256, 512}) {
    for (int block = 0; block < 2; ++block) {
      const int stride = block == 0 && filters > 64 ? 2 : 1;
      const int inner = net.Conv(x, filters, 3, stride, Activation::kRelu);
      const int y = net.Conv(inner, filters, 3, 1, Activation::kNone);
      x = net.AddRelu(y, stride == 1 ? x : net.Conv(x, filters, 1, 2, Activation::kNone));
    }
  }
  return net.Finish(net.FullyConnected(net.Mean(x), 1000, 1.0, Activation::kNone));
}

}  // namespace mcpruner
