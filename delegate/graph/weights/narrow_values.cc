#include "delegate/graph/weights/narrow_values.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "delegate/base/half.h"
#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

bool SameBits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

bool AppendHalf(float value, LargeVector<uint8_t>* narrow) {
  const uint16_t half = ExactHalf(value);
  narrow->push_back(static_cast<uint8_t>(half & 0xff));
  narrow->push_back(static_cast<uint8_t>(half >> 8));
  return SameBits(HalfToFloat(half), value);
}

bool AppendInt8(float value, float scale, LargeVector<uint8_t>* narrow) {
  const float number = value == 0 ? 0.0f : std::nearbyint(value / scale);
  if (!(std::fabs(number) <= 127)) return false;
  narrow->push_back(static_cast<uint8_t>(static_cast<int>(number) & 0xff));
  return SameBits(number * scale, value);
}

}  // namespace

Status StoreNarrow(const StoredAs& stored, SparseLayer* layer) {
  const ValueType type = stored.type;
  if (type == ValueType::kFloat32) return Status::Ok();
  LargeVector<uint8_t> narrow;
  narrow.reserve(layer->values.size() * (type == ValueType::kInt8 ? 1 : 2));
  const auto lanes = static_cast<size_t>(layer->group_size);
  const float* value = layer->values.data();
  bool exact = true;
  size_t group = 0;
  for (const uint64_t taps : GroupTaps(*layer)) {
    for (size_t i = 0; exact && i < taps * lanes; ++i, ++value) {
      const size_t filter = group * lanes + i % lanes;
      const float scale =
          filter < stored.scales.size() ? stored.scales[filter] : 0.0f;  // lanes beyond the last filter hold zeros
      exact = type == ValueType::kInt8 ? AppendInt8(*value, scale, &narrow) : AppendHalf(*value, &narrow);
    }
    ++group;
  }
  if (!exact) {
    return Status::Error("expected weights that " + std::string(type == ValueType::kInt8 ? "int8" : "float16") +
                         " values stand for, got others");
  }
  layer->value_type = type;
  layer->values = {};
  layer->narrow = std::move(narrow);
  layer->scales = stored.scales;
  return Status::Ok();
}

}  // namespace mcpruner
