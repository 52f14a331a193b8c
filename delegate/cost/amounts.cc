#include "delegate/cost/amounts.h"

#include <algorithm>
#include <cmath>

namespace mcpruner::cost {
namespace {

#define MCPRUNER_COUNT(name, count) [[maybe_unused]] constexpr double k##name = count;
#include "format/costs.inc"

using AllSizes = std::vector<std::vector<int>>;

double AtLeastOne(double size) { return std::max(1.0, size); }
double Parts(double whole, double part) { return std::ceil(whole / part); }
double FilledUp(double whole, double part) { return Parts(whole, part) * part; }

// Returns the pixels of the output when each row is filled up to a multiple of `lanes`.
double Pixels(const Geometry& geometry, double lanes) {
  return AtLeastOne(geometry.height) * FilledUp(AtLeastOne(geometry.width), lanes);
}

// Returns the tiles that cover the output, of half as wide vectors where the image is no wider than such a one.
double Tiles(const Geometry& geometry, const Simd& simd) {
  const double lanes = simd.lanes > 8 && geometry.width <= simd.lanes / 2 ? simd.lanes / 2 : simd.lanes;
  return Parts(Pixels(geometry, kRowPixels), lanes * simd.vectors);
}

// Returns the terms that every layer with rows has beside its multiply-adds.
Terms BytesOf(double filters, double channels, const Geometry& geometry) {
  const double pixels = 4 * AtLeastOne(geometry.height) * AtLeastOne(geometry.width);
  Terms terms;
  terms.output_bytes = filters * pixels;
  terms.strided_bytes =
      geometry.stride == geometry.phases() ? 0 : channels * pixels * geometry.stride * geometry.stride;
  terms.layer = 1;
  return terms;
}

bool IsRows(const Geometry& geometry) { return geometry.type == LayerType::kFullyConnected && geometry.width == 1; }
bool IsPointwise(const WeightShape& shape) { return shape.height * shape.width == 1; }

// Returns the bytes of float32 elements whose rows count in whole vectors. An open size counts as 1.
double RowBytes(const AllSizes& tensors, double lanes) {
  double bytes = 0;
  for (const std::vector<int>& sizes : tensors) {
    double elements = 4;
    for (const int size : sizes) elements *= AtLeastOne(size);
    const double width = sizes.size() > 2 ? AtLeastOne(sizes[sizes.size() - 2]) : 1;
    bytes += elements / width * FilledUp(width, lanes);
  }
  return bytes;
}

Terms PlainTerms(Kind kind, double read, double written, double reads_of_window) {
  Terms terms;
  terms.layer = 1;
  if (kind == Kind::kWindow) terms.read_bytes = written * reads_of_window;
  if (kind == Kind::kReduction) {
    terms.input_bytes = read;
  } else {
    terms.output_bytes = written;
  }
  return terms;
}

}  // namespace

std::optional<Kind> KindOf(const std::string& name) {
  constexpr Kind weights = Kind::kWeights, elementwise = Kind::kElementwise, exponential = Kind::kExponential,
                 window = Kind::kWindow, reduction = Kind::kReduction, copy = Kind::kCopy;
  static constexpr struct {
    const char* name;
    Kind kind;
  } kKinds[] = {
#define MCPRUNER_OPERATOR(name, kind) {#name, kind},
#include "format/operators.inc"
#undef MCPRUNER_OPERATOR
  };
  for (const auto& known : kKinds) {
    if (name == known.name) return known.kind;
  }
  return std::nullopt;
}

Geometry RowsGeometry(const std::vector<int>& sizes) {
  double rows = 1;
  for (const int size : sizes) rows *= AtLeastOne(size);
  // Three sizes, or two, are the batch and a map.
  const bool is_map = sizes.size() == 2 || sizes.size() == 3;
  if (!is_map || rows < kLeastPixels * AtLeastOne(sizes[0])) return {LayerType::kFullyConnected, rows, 1};
  const double width = AtLeastOne(sizes.back() > 1 ? sizes.back() : sizes[sizes.size() - 2]);
  return {LayerType::kFullyConnected, rows / width, width};
}

Amounts PackedAmounts(const Counts& counts, const WeightShape& shape, double group_size, const Geometry& geometry,
                      const Simd& simd) {
  // A pixel's phases are channels first, of an ordinary convolution, and are stored once more where they are spread.
  const double phases = geometry.phases();
  const double stored = shape.filters * (phases == 1 ? 1 : 2 * phases * phases);
  Terms terms = BytesOf(stored, shape.channels * geometry.groups, geometry);
  terms.weight_bytes = 4 * counts.values + 4 * counts.kernels;
  if (IsRows(geometry)) {
    const double rows = AtLeastOne(geometry.height);
    terms.multiply_adds = counts.values * rows;
    terms.kernels = counts.kernels * rows;
    return {&Costs::packed_fully_connected, terms};
  }
  terms.multiply_adds = counts.values * Pixels(geometry, kRowPixels);
  terms.loads = terms.multiply_adds / std::min(group_size, kSharedFilters);
  terms.kernels = counts.kernels * Tiles(geometry, simd) * Parts(group_size, kSharedFilters);
  const bool pointwise = std::max(shape.height, shape.width) <= phases;
  return {pointwise ? &Costs::packed_pointwise : &Costs::packed_conv, terms};
}

Amounts UnpackedAmounts(const WeightShape& shape, const Geometry& geometry, const Simd& simd) {
  if (geometry.type == LayerType::kDepthwise) {
    Terms terms = BytesOf(shape.channels, shape.channels, geometry);
    terms.multiply_adds = shape.size() * Pixels(geometry, simd.lanes);
    return {&Costs::cpu_depthwise, terms};
  }
  const bool wide = geometry.type == LayerType::kFullyConnected && shape.filters >= kDenseGroupOfPixels;
  double group_size = wide ? kDenseGroupOfPixels : kDenseGroup;
  // Both are powers of two: a group of filters lies within one group of the convolution.
  while (geometry.groups > 1 && std::fmod(shape.filters / geometry.groups, group_size) != 0) group_size /= 2;
  const double groups = Parts(shape.filters, group_size);
  const Counts full{groups * group_size * shape.height * shape.width * shape.channels, groups * shape.channels};
  return PackedAmounts(full, shape, group_size, geometry, simd);
}

Amounts TfliteAmounts(const WeightShape& shape, const Geometry& geometry, const Simd& simd) {
  const double pixels = AtLeastOne(geometry.height) * AtLeastOne(geometry.width);
  if (geometry.type == LayerType::kDepthwise) {
    Terms terms = BytesOf(shape.channels, shape.channels, geometry);
    terms.multiply_adds = shape.size() * pixels;
    return {&Costs::tflite_depthwise, terms};
  }
  Terms terms = BytesOf(shape.filters, shape.channels * geometry.groups, geometry);
  terms.weight_bytes = 4 * shape.size();
  if (IsRows(geometry)) {
    terms.multiply_adds = shape.size() * AtLeastOne(geometry.height);
    return {&Costs::tflite_fully_connected, terms};
  }
  const bool grouped = geometry.groups > 1;
  terms.multiply_adds = geometry.groups * FilledUp(shape.filters / geometry.groups, simd.tile_filters) * shape.height *
                        shape.width * (shape.channels + (grouped ? kGroupCall : 0)) *
                        FilledUp(pixels, simd.tile_pixels);
  return {IsPointwise(shape) && !grouped ? &Costs::tflite_pointwise : &Costs::tflite_conv, terms};
}

PlainAmounts AmountsWithoutWeights(Kind kind, const AllSizes& inputs, const AllSizes& outputs, const WindowSize& window,
                                   const Simd& simd) {
  const auto terms = [&](double lanes, double reads_of_window) {
    return PlainTerms(kind, RowBytes(inputs, lanes), RowBytes(outputs, lanes), reads_of_window);
  };
  // The plugin reduces rows first, and then columns.
  const Terms ours = terms(simd.lanes, window.height + window.width), theirs = terms(1, window.height * window.width);
  switch (kind) {
    case Kind::kElementwise:
      return {{&Costs::cpu_elementwise, ours}, {&Costs::tflite_elementwise, theirs}};
    case Kind::kExponential:
      return {{&Costs::cpu_exponential, ours}, {&Costs::tflite_exponential, theirs}};
    case Kind::kWindow:
      return {{&Costs::cpu_window, ours}, {&Costs::tflite_window, theirs}};
    case Kind::kReduction:
      return {{&Costs::cpu_reduction, ours}, {&Costs::tflite_reduction, theirs}};
    case Kind::kWeights:  // has no shape that could be counted
    case Kind::kCopy:
      break;
  }
  return {{&Costs::cpu_copy, ours}, {&Costs::tflite_copy, theirs}};
}

Amounts InferenceAmounts() {
  Terms terms;
  terms.layer = 1;
  return {&Costs::tflite_inference, terms};
}

Amounts PartitionAmounts() {
  Terms terms;
  terms.layer = 1;
  return {&Costs::cpu_partition, terms};
}

Amounts EdgeAmounts(double elements) {
  Terms terms;
  terms.output_bytes = 4 * AtLeastOne(elements);
  terms.layer = 1;
  return {&Costs::cpu_edge, terms};
}

}  // namespace mcpruner::cost
