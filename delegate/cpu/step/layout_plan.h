// PlanLayouts chooses the layout of every tensor of a graph: the borders are what its readers' windows need.
//
// Depthwise convolutions, and convolutions with stride_w 1, read their input where it lies, so their padding must be
// there. All other readers take any borders and need none.

#ifndef MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_PLAN_H_
#define MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_PLAN_H_

#include <vector>

#include "delegate/cpu/step/layout.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns whether a tensor of this layout has at least these borders.
bool HasBorder(const HcwLayout& layout, const Padding2D& border);

// Returns one layout for each tensor. Borders beyond kMaxBorder, or that would make a tensor absurdly large, are left
// out: a step must look (HasBorder) before it relies on them.
std::vector<HcwLayout> PlanLayouts(const Graph& graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_LAYOUT_PLAN_H_
