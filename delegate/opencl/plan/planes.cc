#include "delegate/opencl/plan/planes.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "delegate/graph/window_reach.h"

namespace mcpruner::opencl {
namespace {

constexpr int64_t kSlotAlignment = 64;  // in elements, so that a slot begins where a cache line does

int64_t RoundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

// Memory for tensors whose planes look alike and that are never needed at the same time.
struct Slot {
  std::vector<size_t> tensors;
  int64_t elements = 0;
};

bool Meet(const Lifetime& a, const Lifetime& b) { return a.first_op <= b.last_op && b.first_op <= a.last_op; }

}  // namespace

bool PlaneLayout::SamePlanes(const PlaneLayout& other) const {
  return shape.h == other.shape.h && shape.w == other.shape.w && pitch == other.pitch && plane == other.plane &&
         border.top == other.border.top && border.left == other.border.left;
}

Map PlaneTensor::map() const {
  const auto at = [](int64_t elements) { return static_cast<int>(elements); };
  const int64_t origin = offset + int64_t{layout.border.top} * layout.pitch + layout.border.left;
  return {at(origin), at(layout.plane * layout.shape.c), at(layout.plane), layout.pitch, 1};
}

PlaneLayout MakePlanes(const Shape& shape, const Padding2D& border) {
  PlaneLayout layout;
  layout.shape = shape;
  layout.border = border;
  layout.pitch = shape.w + std::max(border.left, border.right);
  layout.plane = int64_t{layout.pitch} * (border.top + shape.h + border.bottom);
  // Behind the last row no other row follows whose left zeros a window could read, so the zeros are added here.
  layout.elements = shape.size() == 0 ? 0 : layout.plane * shape.n * shape.c + border.right;
  return layout;
}

Result<std::vector<PlaneLayout>> PlanPlanes(const Graph& graph) {
  std::vector<Padding2D> borders(graph.tensors.size());
  for (const Op& op : graph.ops) {
    const Padding2D need = ConvReach(op, graph.tensor(op.inputs[0]).shape, graph.tensor(op.output).shape);
    if (WidestSide(need) > kMaxPlaneBorder) {
      return Status::Error("op '" + op.name + "' needs more than " + std::to_string(kMaxPlaneBorder) +
                           " rows or columns of padding");
    }
    Padding2D& border = borders[static_cast<size_t>(op.inputs[0])];
    border = Union(border, need);
  }
  std::vector<PlaneLayout> layouts;
  for (size_t i = 0; i < borders.size(); ++i) layouts.push_back(MakePlanes(graph.tensors[i].shape, borders[i]));
  return layouts;
}

Result<SlotPlan> PlanSlots(const std::vector<PlaneLayout>& layouts, const std::vector<Lifetime>& lifetimes, int guard) {
  std::vector<size_t> order(layouts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return layouts[a].elements > layouts[b].elements; });
  std::vector<Slot> slots;
  for (const size_t i : order) {
    if (layouts[i].elements == 0 || lifetimes[i].empty()) continue;
    const auto fits = [&](const Slot& slot) {
      return layouts[slot.tensors[0]].SamePlanes(layouts[i]) &&
             std::none_of(slot.tensors.begin(), slot.tensors.end(),
                          [&](size_t other) { return Meet(lifetimes[other], lifetimes[i]); });
    };
    auto slot = std::find_if(slots.begin(), slots.end(), fits);
    if (slot == slots.end()) slot = slots.insert(slots.end(), Slot());
    slot->tensors.push_back(i);
    slot->elements = std::max(slot->elements, layouts[i].elements);
  }
  SlotPlan plan;
  plan.offsets.assign(layouts.size(), -1);
  for (const Slot& slot : slots) {
    for (const size_t i : slot.tensors) plan.offsets[i] = plan.elements;
    plan.ends.push_back(plan.elements + slot.elements);
    plan.elements = RoundUp(plan.elements + slot.elements + guard, kSlotAlignment);
  }
  if (plan.elements > std::numeric_limits<int32_t>::max()) {
    return Status::Error("its tensors need " + std::to_string(plan.elements) +
                         " elements, more than a device's kernels can number");
  }
  return plan;
}

}  // namespace mcpruner::opencl
