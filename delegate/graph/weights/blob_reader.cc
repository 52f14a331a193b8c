#include "delegate/graph/weights/blob_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include "delegate/base/half.h"
#include "delegate/graph/weights/layer_walk.h"
#include "delegate/graph/weights/units.h"
#include "flatbuffers/flatbuffers.h"
#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

constexpr uint32_t kNewestVersion = 2;

template <typename T>
using Vector = const flatbuffers::Vector<T>*;

// Returns "expected that <statement>, got <came>": one sentence for every broken rule.
Status Broken(const std::string& statement, const std::string& came) {
  return Status::Error("expected that " + statement + ", got " + came +
                       "; the sparse layer is damaged or of another version: convert the model again");
}
Status Broken(const std::string& statement, int64_t came) { return Broken(statement, std::to_string(came)); }

template <typename T>
size_t SizeOf(Vector<T> vector) {
  return vector == nullptr ? 0 : vector->size();
}

Status ReadShape(const format::SparseLayer& blob, SparseLayer* layer) {
  if (blob.version() < 1 || blob.version() > kNewestVersion) return Broken("version is 1 or 2", blob.version());
  if (blob.kind() > format::LayerKind_MAX) return Broken("kind is 0, 1 or 2", static_cast<int>(blob.kind()));
  if (blob.value_type() > format::ValueType_MAX) {
    return Broken("value_type is 0, 1 or 2", static_cast<int>(blob.value_type()));
  }
  layer->kind = static_cast<LayerKind>(blob.kind());
  layer->value_type = static_cast<ValueType>(blob.value_type());
  layer->kernel_height = blob.kernel_height();
  layer->kernel_width = blob.kernel_width();
  layer->in_channels = blob.in_channels();
  layer->out_channels = blob.out_channels();
  layer->group_size = blob.group_size();
  const int positions = layer->kernel_height * layer->kernel_width;
  if (positions < 1 || positions > kMaxPositions) {
    return Broken("a kernel has 1 to " + std::to_string(kMaxPositions) + " positions", positions);
  }
  if (layer->kind == LayerKind::kFullyConnected && positions != 1) {
    return Broken("a fully-connected layer has one kernel position", positions);
  }
  if (layer->in_channels < 1) return Broken("in_channels is at least 1", layer->in_channels);
  if (layer->out_channels < 1) return Broken("out_channels is at least 1", layer->out_channels);
  if (!IsGroupSize(layer->group_size)) {
    return Broken("group_size is a power of two, 1 to " + std::to_string(kMaxGroupSize), layer->group_size);
  }
  return Status::Ok();
}

// Checks what version 2 has about the layer's tensors; see TensorType in the schema.
Status CheckTensors(const format::SparseLayer& blob) {
  if (blob.tensor_type() > format::TensorType_MAX) {
    return Broken("tensor_type is 0 or 1", static_cast<int>(blob.tensor_type()));
  }
  if (blob.tensor_type() != format::TensorType_Int8) {
    return blob.int_bias() == nullptr ? Status::Ok() : Broken("only layers of int8 tensors have int_bias", "int_bias");
  }
  if (blob.value_type() != format::ValueType_Int8) {
    return Broken("int8 tensors have int8 values", static_cast<int>(blob.value_type()));
  }
  if (blob.bias() != nullptr) return Broken("the bias of a layer of int8 tensors is int_bias", "bias");
  if (blob.int_bias() != nullptr && blob.int_bias()->size() != blob.out_channels()) {
    return Broken("there are " + std::to_string(blob.out_channels()) + " of int_bias", blob.int_bias()->size());
  }
  return Status::Ok();
}

// Reads how version 2 counts channels; see `unit_channels` and `groups` in the schema.
Status ReadUnits(const format::SparseLayer& blob, const SparseLayer& layer, Units* units) {
  const bool plain = blob.unit_channels() == 1 && blob.groups() == 1;
  if (blob.version() == 1 &&
      (!plain || blob.tensor_type() != format::TensorType_Float32 || blob.int_bias() != nullptr)) {
    return Broken("a layer of version 1 has nothing of version 2", "unit_channels, groups, tensor_type or int_bias");
  }
  if (!IsUnitSize(blob.unit_channels())) {
    return Broken("unit_channels is a power of two, 1 to " + std::to_string(kMaxUnitChannels), blob.unit_channels());
  }
  *units = {blob.unit_channels(), blob.groups()};
  if (units->groups == 1) return Status::Ok();
  if (units->groups < 1 || layer.in_channels % units->groups != 0 || layer.out_channels % units->groups != 0) {
    return Broken("groups divide the channels and the filters", units->groups);
  }
  if (layer.kind != LayerKind::kConv2D) return Broken("only convolutions have groups", units->groups);
  if (layer.out_channels / units->groups % layer.group_size != 0) {
    return Broken("group_size divides the filters of a group", layer.group_size);
  }
  return Status::Ok();
}

Status ReadPatterns(const format::SparseLayer& blob, SparseLayer* layer) {
  const size_t count = SizeOf(blob.patterns());
  if (count > size_t{kMaxPatterns}) {
    return Broken("there are at most " + std::to_string(kMaxPatterns) + " patterns", static_cast<int64_t>(count));
  }
  const int positions = layer->kernel_height * layer->kernel_width;
  for (size_t i = 0; i < count; ++i) {
    // The pattern is copied, since the verifier does not check that a vector of 8-byte numbers is aligned to 8 bytes.
    uint64_t pattern;
    std::memcpy(&pattern, blob.patterns()->Data() + i * sizeof pattern, sizeof pattern);
    if (pattern == 0) return Broken("no pattern is empty", 0);
    if (positions < kMaxPositions && pattern >> positions != 0) {
      return Broken("patterns have positions below " + std::to_string(positions), "pattern " + std::to_string(pattern));
    }
    layer->patterns.push_back(pattern);
  }
  std::vector<uint64_t> sorted = layer->patterns;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return Broken("all patterns are different", "one twice");
  }
  return Status::Ok();
}

// Channels are numbers of units until TakeUnitsApart.
Status ReadRuns(const format::SparseLayer& blob, int channels, SparseLayer* layer) {
  const size_t groups = static_cast<size_t>(layer->num_groups());
  const size_t runs = SizeOf(blob.run_patterns());
  if (SizeOf(blob.group_runs()) != groups) {
    return Broken("group_runs has " + std::to_string(groups) + " entries",
                  static_cast<int64_t>(SizeOf(blob.group_runs())));
  }
  if (SizeOf(blob.run_counts()) != runs) {
    return Broken("run_counts is as long as run_patterns", static_cast<int64_t>(SizeOf(blob.run_counts())));
  }
  uint64_t total = 0;
  layer->group_run_begin.push_back(0);
  for (const uint32_t count : *blob.group_runs()) {
    total += count;
    if (total > runs) break;
    layer->group_run_begin.push_back(static_cast<uint32_t>(total));
  }
  if (total != runs) return Broken("group_runs add up to " + std::to_string(runs), static_cast<int64_t>(total));
  for (size_t i = 0; i < runs; ++i) {
    const auto at = static_cast<flatbuffers::uoffset_t>(i);
    const SparseLayer::Run run = {blob.run_patterns()->Get(at), blob.run_counts()->Get(at)};
    if (run.pattern >= layer->patterns.size()) {
      return Broken("run_patterns are below " + std::to_string(layer->patterns.size()), run.pattern);
    }
    if (run.count < 1 || run.count > channels) {
      return Broken("run_counts are 1 to " + std::to_string(channels), run.count);
    }
    layer->runs.push_back(run);
  }
  return Status::Ok();
}

// Expands channel gaps. Nothing is allocated beyond one channel per byte of the blob and one mark per input channel.
Status ReadChannels(const format::SparseLayer& blob, int channels, SparseLayer* layer) {
  const uint8_t* byte = blob.channel_gaps() == nullptr ? nullptr : blob.channel_gaps()->data();
  const uint8_t* const end = byte == nullptr ? nullptr : byte + blob.channel_gaps()->size();
  layer->channels.reserve(SizeOf(blob.channel_gaps()));
  std::vector<int> last_group(static_cast<size_t>(channels), -1);
  for (int group = 0; group < layer->num_groups(); ++group) {
    const size_t g = static_cast<size_t>(group);
    for (uint32_t r = layer->group_run_begin[g]; r < layer->group_run_begin[g + 1]; ++r) {
      int64_t channel = -1;
      for (int k = 0; k < layer->runs[r].count; ++k) {
        int64_t gap = 0;
        while (byte != end && *byte == 255) gap += *byte++;
        if (byte == end) return Broken("channel_gaps hold a channel for every kernel", "too few bytes");
        channel += 1 + gap + *byte++;
        if (channel >= channels) return Broken("channels are below " + std::to_string(channels), channel);
        if (last_group[static_cast<size_t>(channel)] == group) {
          return Broken("a channel appears once in a filter group", "channel " + std::to_string(channel) + " twice");
        }
        last_group[static_cast<size_t>(channel)] = group;
        layer->channels.push_back(static_cast<uint16_t>(channel));
      }
    }
  }
  if (byte != end) return Broken("channel_gaps hold the kernels' bytes only", std::to_string(end - byte) + " more");
  return Status::Ok();
}

Status ReadScales(const format::SparseLayer& blob, SparseLayer* layer) {
  if (layer->value_type != ValueType::kInt8) {
    return blob.scales() == nullptr ? Status::Ok() : Broken("only int8 values have scales", "scales");
  }
  if (SizeOf(blob.scales()) != static_cast<size_t>(layer->out_channels)) {
    return Broken("there is a scale for each of " + std::to_string(layer->out_channels) + " filters",
                  static_cast<int64_t>(SizeOf(blob.scales())));
  }
  layer->scales.assign(blob.scales()->begin(), blob.scales()->end());
  for (const float scale : layer->scales) {
    if (!std::isfinite(scale) || scale < 0) return Broken("scales are finite and at least 0", std::to_string(scale));
    if (scale == 0 && blob.tensor_type() == format::TensorType_Int8) {
      return Broken("scales of a layer of int8 tensors are above 0", 0);
    }
  }
  return Status::Ok();
}

size_t BytesOf(ValueType type) {
  static constexpr size_t kBytes[] = {4, 2, 1};
  return kBytes[static_cast<size_t>(type)];
}

// Converts `count` values from `from` on to floats before scaling. Int8's -128 becomes NaN, so that one check finds all
// that is not allowed.
void Expand(ValueType type, const uint8_t* from, size_t count, float* to) {
  switch (type) {
    case ValueType::kFloat32:
      if (count > 0) std::memcpy(to, from, count * sizeof(float));  // a group whose weights are all zero has no address
      break;
    case ValueType::kFloat16:
      for (size_t i = 0; i < count; ++i) to[i] = HalfToFloat(static_cast<uint16_t>(from[2 * i] | from[2 * i + 1] << 8));
      break;
    case ValueType::kInt8:
      for (size_t i = 0; i < count; ++i) to[i] = from[i] == 0x80 ? std::nanf("") : static_cast<int8_t>(from[i]);
      break;
  }
}

// Multiplies the values of one group with its filters' scales. Lanes beyond the last filter are zero.
void Scale(Span<const float> scales, size_t group, size_t lanes, std::vector<float>* values) {
  for (size_t lane = 0; lane < lanes && group * lanes + lane < scales.size(); ++lane) {
    const float scale = scales[group * lanes + lane];
    for (size_t i = lane; i < values->size(); i += lanes) (*values)[i] *= scale;
  }
}

bool AllFinite(const std::vector<float>& values) {
  bool finite = true;
  for (const float value : values) finite &= std::isfinite(value);
  return finite;
}

// Returns whether the lanes of a last group at and beyond `filters` hold zero bits only.
bool RestIsZero(Span<const uint8_t> group, size_t filters, size_t lanes, size_t bytes) {
  for (size_t i = 0; i < group.size(); ++i) {
    if (i / bytes % lanes >= filters && group[i] != 0) return false;
  }
  return true;
}

// Counts the values of each group.
std::vector<uint64_t> CountValues(const SparseLayer& layer) {
  // There are at most 2^16 groups x 2^16 kernels x 64 positions x 16 lanes in all, which is far from overflow.
  std::vector<uint64_t> counts = GroupTaps(layer);
  for (uint64_t& count : counts) count *= static_cast<uint64_t>(layer.group_size);
  return counts;
}

// Checks that the blob has as many values as it says, before anything is allocated for them.
Status CountStored(const format::SparseLayer& blob, const Units& units, const SparseLayer& layer) {
  const std::vector<uint64_t> counts = CountValues(layer);
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  const uint64_t bytes = total * static_cast<uint64_t>(units.channels) * BytesOf(layer.value_type);
  if (bytes == SizeOf(blob.values())) return Status::Ok();
  return Broken("values take " + std::to_string(bytes) + " bytes", static_cast<int64_t>(SizeOf(blob.values())));
}

// Reads `stored`, the values in the order of channels. The scales were read before, since int8 values are finite only
// together with them.
Status ReadValues(Span<const uint8_t> stored, SparseLayer* layer) {
  if (stored.empty()) return Status::Ok();
  const std::vector<uint64_t> counts = CountValues(*layer);
  const size_t bytes = BytesOf(layer->value_type), lanes = static_cast<size_t>(layer->group_size);
  const size_t rest = static_cast<size_t>(layer->out_channels) % lanes, last = counts.back() * bytes;
  if (rest != 0 && !RestIsZero(stored.subspan(stored.size() - last, last), rest, lanes, bytes)) {
    return Broken("lanes beyond the last filter are +0", "another value");
  }
  if (!layer->keeps_narrow()) layer->values.reserve(stored.size() / bytes);
  std::vector<float> group;  // stays in the cache, while the values may be larger than it
  const uint8_t* at = stored.data();
  for (size_t g = 0; g < counts.size(); at += counts[g] * bytes, ++g) {
    group.resize(counts[g]);
    Expand(layer->value_type, at, counts[g], group.data());
    Scale(layer->scales, g, lanes, &group);
    if (!AllFinite(group)) return Broken("values are finite (int8: -127 to 127)", "another value");
    if (!layer->keeps_narrow()) layer->values.insert(layer->values.end(), group.begin(), group.end());
  }
  if (layer->keeps_narrow()) {
    layer->narrow.assign(stored.begin(), stored.end());
  } else {
    layer->scales.clear();  // they are in the values
  }
  return Status::Ok();
}

// Reads runs, channels and values, in plain channels whatever the units are.
Status ReadKernels(const format::SparseLayer& blob, const Units& units, SparseLayer* layer) {
  const int channels = units.CountIn(*layer);
  MCPRUNER_RETURN_IF_ERROR(ReadRuns(blob, channels, layer));
  MCPRUNER_RETURN_IF_ERROR(ReadChannels(blob, channels, layer));
  MCPRUNER_RETURN_IF_ERROR(ReadScales(blob, layer));
  MCPRUNER_RETURN_IF_ERROR(CountStored(blob, units, *layer));
  Span<const uint8_t> stored;
  if (blob.values() != nullptr) stored = {blob.values()->data(), blob.values()->size()};
  if (units.plain()) return ReadValues(stored, layer);
  const Result<std::vector<uint8_t>> ordered = TakeUnitsApart(units, stored, BytesOf(layer->value_type), layer);
  if (!ordered.ok()) return Broken(ordered.message(), "another value");
  return ReadValues(*ordered, layer);
}

// Checks that every filter stays in its group.
Status CheckPermutation(const Units& units, const SparseLayer& layer) {
  const size_t filters = layer.permutation.size() / static_cast<size_t>(units.groups);
  for (size_t packed = 0; packed < layer.permutation.size(); ++packed) {
    if (layer.permutation[packed] / filters != packed / filters) {
      return Broken("permutation leaves every filter in its group", "another");
    }
  }
  return Status::Ok();
}

Status ReadPermutationAndBias(const format::SparseLayer& blob, const Units& units, SparseLayer* layer) {
  const size_t filters = static_cast<size_t>(layer->out_channels);
  layer->permutation.resize(filters);
  std::iota(layer->permutation.begin(), layer->permutation.end(), static_cast<uint16_t>(0));
  if (blob.permutation() != nullptr) {
    std::vector<uint16_t> read(blob.permutation()->begin(), blob.permutation()->end());
    std::vector<uint16_t> sorted = read;
    std::sort(sorted.begin(), sorted.end());
    if (sorted != layer->permutation) {
      return Broken("permutation has each of " + std::to_string(filters) + " filters once", "something else");
    }
    layer->permutation = std::move(read);
    MCPRUNER_RETURN_IF_ERROR(CheckPermutation(units, *layer));
  }
  layer->bias.assign(filters, 0.0f);
  if (blob.bias() == nullptr) return Status::Ok();
  if (blob.bias()->size() != filters) {
    return Broken("there are " + std::to_string(filters) + " biases", blob.bias()->size());
  }
  std::copy(blob.bias()->begin(), blob.bias()->end(), layer->bias.begin());
  const bool finite = std::all_of(layer->bias.begin(), layer->bias.end(), [](float b) { return std::isfinite(b); });
  return finite ? Status::Ok() : Broken("biases are finite", "NaN or infinity");
}

}  // namespace

Result<SparseLayer> ReadSparseLayer(Span<const uint8_t> bytes) {
  const std::string came = std::to_string(bytes.size()) + " bytes that are not";
  // The verifier takes less than 2 GiB for granted.
  if (bytes.size() < 8 || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
    return Broken("a sparse layer is an MCP1 flatbuffer", came);
  }
  // The blob is read in place where it is aligned for 4-byte numbers (8-byte ones are copied first), as it is in every
  // model. The 16-byte alignment of `values` is for readers that compute with them in place.
  std::vector<uint32_t> aligned;
  const uint8_t* data = bytes.data();
  if (reinterpret_cast<uintptr_t>(data) % sizeof(uint32_t) != 0) {
    aligned.resize((bytes.size() + sizeof(uint32_t) - 1) / sizeof(uint32_t));
    std::memcpy(aligned.data(), data, bytes.size());
    data = reinterpret_cast<const uint8_t*>(aligned.data());
  }
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!format::VerifySparseLayerBuffer(verifier)) return Broken("a sparse layer is an MCP1 flatbuffer", came);
  const format::SparseLayer& blob = *format::GetSparseLayer(data);
  SparseLayer layer;
  Units units;
  MCPRUNER_RETURN_IF_ERROR(ReadShape(blob, &layer));
  MCPRUNER_RETURN_IF_ERROR(CheckTensors(blob));
  MCPRUNER_RETURN_IF_ERROR(ReadUnits(blob, layer, &units));
  MCPRUNER_RETURN_IF_ERROR(ReadPatterns(blob, &layer));
  MCPRUNER_RETURN_IF_ERROR(ReadKernels(blob, units, &layer));
  MCPRUNER_RETURN_IF_ERROR(ReadPermutationAndBias(blob, units, &layer));
  if (blob.tensor_type() == format::TensorType_Int8) {
    return Status::Error("its activations are int8, which this version of the plugin does not run yet");
  }
  return layer;
}

}  // namespace mcpruner
