// Tensors lie on the device in planes, one for each channel of each image, and share one buffer, the arena.
//
//     [image][channel][row][column]      neighbouring work-items read neighbouring pixels, at any weight's position
//
//             pitch = 4 elements: left zeros, w pixels, zeros to fill up
//             0 0 0 0                    top
//             0 a a a                    the zeros right of a row are the left zeros of the next one
//             0 a a a
//             0 0 0 0 0                  bottom; one element more belongs to the next plane, or to the slot's end
//
// The zeros around an image that a window reads are part of its tensor, so that a tap of a convolution is one
// displacement wherever the window stands. They are written once, when the arena is made: micro-kernels write pixels
// only, and tensors share memory (a slot) only where their planes look alike, so that nobody writes another one's
// borders.
//
//     arena   [ slot 0: planes of 58x57 | slot 1: planes of 58x57 | slot 2: planes of 30x29 | ... ]
//              tensor 0, tensor 4         tensor 2                  tensor 5

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_PLANES_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_PLANES_H_

#include <cstdint>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/graph/passes/lifetimes.h"
#include "delegate/opencl/plan/args.h"

namespace mcpruner::opencl {

// A border may be so wide. A graph whose windows need more is left to another backend (PlanPlanes).
constexpr int kMaxPlaneBorder = 64;

struct PlaneLayout {
  Shape shape;
  Padding2D border;
  int pitch = 0;         // elements from one row to the next one
  int64_t plane = 0;     // elements from one channel to the next one
  int64_t elements = 0;  // all planes have together, with the zeros behind the last one; 0 for an empty tensor

  bool SamePlanes(const PlaneLayout& other) const;
};

// A PlaneTensor says where a tensor lies in the arena.
struct PlaneTensor {
  PlaneLayout layout;
  int64_t offset = 0;  // where its slot begins, in elements

  // Says where its pixels stand. Offsets fit 32 bits (PlanSlots).
  Map map() const;
};

PlaneLayout MakePlanes(const Shape& shape, const Padding2D& border);

// Returns one layout for each tensor of the graph, with the border that the convolutions which read it need. The error
// names an op whose window is too wide.
Result<std::vector<PlaneLayout>> PlanPlanes(const Graph& graph);

struct SlotPlan {
  std::vector<int64_t> offsets;  // where each tensor begins, in elements; -1: it has no elements, or nothing uses it
  std::vector<int64_t> ends;     // where each slot ends, in the arena's order; a guard follows each
  int64_t elements = 0;          // how many the arena has
};

// Tensors of empty lifetime get no slot. `guard` elements are left free behind each slot. The error says that the arena
// would be too large for 32-bit offsets.
Result<SlotPlan> PlanSlots(const std::vector<PlaneLayout>& layouts, const std::vector<Lifetime>& lifetimes, int guard);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_PLANES_H_
