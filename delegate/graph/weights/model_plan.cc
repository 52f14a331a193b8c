#include "delegate/graph/weights/model_plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "format/model_plan_generated.h"

namespace mcpruner {
namespace {

constexpr uint32_t kVersion = 1;

Status Broken(const std::string& statement, const std::string& came) {
  return Status::Error("expected " + statement + ", got " + came);
}

LayerPlan ReadLayer(const format::LayerPlan& read) {
  LayerPlan plan;
  plan.grouping.group_size = read.group_size();
  if (read.permutation() != nullptr) {
    plan.grouping.permutation.assign(read.permutation()->begin(), read.permutation()->end());
  }
  plan.value_type = read.value_type();
  if (read.scales() != nullptr) plan.scales.assign(read.scales()->begin(), read.scales()->end());
  return plan;
}

// Checks that no filter group reaches over two groups of a convolution: it would multiply zeros by channels that its
// filters do not read.
Status CheckShares(const Grouping& grouping, int conv_groups) {
  const size_t share = grouping.permutation.size() / static_cast<size_t>(conv_groups);
  bool stays = share % static_cast<size_t>(grouping.group_size) == 0;
  for (size_t i = 0; i < grouping.permutation.size(); ++i) stays &= grouping.permutation[i] / share == i / share;
  return stays ? Status::Ok()
               : Broken("filter groups within each of " + std::to_string(conv_groups) + " groups of the convolution",
                        "some that reach over two");
}

}  // namespace

const LayerPlan* ModelPlan::Next(uint64_t key) {
  const auto found = plans_.find(key);
  if (found == plans_.end()) return nullptr;
  OfKey& of_key = found->second;
  const size_t number = std::min(of_key.used, of_key.plans.size() - 1);
  of_key.used = number + 1;
  return &of_key.plans[number];
}

bool ModelPlan::AllUsed() const {
  return std::all_of(plans_.begin(), plans_.end(), [](const auto& of_key) { return of_key.second.used > 0; });
}

Result<ModelPlan> ReadModelPlan(Span<const uint8_t> bytes) {
  const std::string came = std::to_string(bytes.size()) + " bytes that are none";
  if (bytes.size() < 8 || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return Broken("an MCPP flatbuffer", came);
  // Keys have 8 bytes, and a model file aligns its metadata to 4.
  std::vector<uint64_t> aligned((bytes.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto* const data = reinterpret_cast<const uint8_t*>(aligned.data());
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!format::VerifyModelPlanBuffer(verifier)) return Broken("an MCPP flatbuffer", came);
  const format::ModelPlan& read = *format::GetModelPlan(data);
  if (read.version() != kVersion) {
    return Broken("version 1 of it",
                  std::to_string(read.version()) + "; use the delegate that came with the converter");
  }
  if (read.format() > format::FileFormat_MAX) {
    return Broken("a format of the file that is 0 or 1", std::to_string(static_cast<int>(read.format())));
  }
  ModelPlan plan;
  if (read.layers() == nullptr) return plan;
  for (const format::LayerPlan* layer : *read.layers()) {
    plan.plans_[layer->key()].plans.push_back(ReadLayer(*layer));
  }
  return plan;
}

Result<PlannedPacking> CheckPlan(const LayerPlan& plan, int filters, int conv_groups) {
  Grouping grouping = plan.grouping;
  if (grouping.permutation.empty()) {
    grouping.permutation.resize(static_cast<size_t>(filters));
    std::iota(grouping.permutation.begin(), grouping.permutation.end(), uint16_t{0});
  }
  MCPRUNER_RETURN_IF_ERROR(CheckGrouping(grouping, filters));
  if (conv_groups > 1) MCPRUNER_RETURN_IF_ERROR(CheckShares(grouping, conv_groups));
  if (plan.value_type > static_cast<int>(ValueType::kInt8)) {
    return Broken("a value type that is 0, 1 or 2", std::to_string(plan.value_type));
  }
  const bool is_int8 = plan.value_type == static_cast<int>(ValueType::kInt8);
  const size_t scales = is_int8 ? static_cast<size_t>(filters) : 0;
  if (plan.scales.size() != scales) {
    return Broken(std::to_string(scales) + " scales", std::to_string(plan.scales.size()));
  }
  const bool finite =
      std::all_of(plan.scales.begin(), plan.scales.end(), [](float x) { return std::isfinite(x) && x >= 0; });
  if (!finite) return Broken("scales that are finite and at least 0", "another one");
  return PlannedPacking{std::move(grouping), {static_cast<ValueType>(plan.value_type), plan.scales}};
}

}  // namespace mcpruner
