// A Step is one op on the device: its launches, and the buffers that only it reads.
//
//     run/make_steps.h          the one way in: the steps of a whole graph
//     graph/ops.inc             the family of each op type: Make<family>Step makes its step
//     ops/<op>/<op>_step.cc     that function: it cuts the work into work-groups and sets the micro-kernel's arguments
//     ops/<op>/<op>.cl          the micro-kernel; plan/args.h and ops/common.cl are put before it (driver/programs.h)
//
// A new family gets the last two files; it does not link without them. Ops that share a `.cl` file share a folder:
// everything that only moves elements is in copy/, mean and softmax are in reduce/.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPS_STEP_H_
#define MCPRUNER_DELEGATE_OPENCL_OPS_STEP_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/opencl/driver/launch.h"
#include "delegate/opencl/driver/programs.h"
#include "delegate/opencl/plan/args.h"
#include "delegate/opencl/plan/planes.h"
#include "delegate/opencl/plan/precision.h"
#include "delegate/opencl/plan/tuned_tiles.h"
#include "delegate/opencl/plan/weights.h"

namespace mcpruner::opencl {

// Launches whose work-items make one element each, and reductions, have work-groups of this many lanes, whatever the
// device: every device that is taken has room for them (device_info.cc). Other numbers were not measured.
constexpr int kElementLanes = 64;

// All steps of a backend share these tools.
struct DeviceTools {
  std::shared_ptr<const Device> device;
  Programs* programs = nullptr;
  WeightCache* weights = nullptr;
  DeviceTiles tiles;
  Precision precision = Precision::kFloat32;
  const TunedTiles* tuned = nullptr;
  std::function<void(const std::string&)> log;  // told what takes long, a line each
  std::optional<ConvTile> conv_tile;            // if set, the tile of all convolutions, for those who measure tiles
};

// A step is made from its context, which lives only until the step is made.
struct StepContext {
  const Graph& graph;
  const Op& op;
  const std::vector<PlaneTensor>& tensors;  // of the graph
  const DeviceTools& tools;
  cl_mem arena;

  const PlaneTensor& input(size_t i = 0) const { return tensors[static_cast<size_t>(op.inputs[i])]; }
  const PlaneTensor& output() const { return tensors[static_cast<size_t>(op.output)]; }
};

struct Step {
  std::vector<Launch> launches;
  std::vector<ClBuffer> buffers;  // tables of this step
  std::vector<std::shared_ptr<const DeviceWeights>> weights;
  int64_t table_bytes = 0;  // of `buffers`
};

// Makes a micro-kernel and sets all of its arguments.
template <typename... Args>
Result<Launch> MakeLaunch(const DeviceTools& tools, const std::string& file, const std::string& name,
                          const Defines& defines, const Range& range, const Args&... args) {
  Result<ClKernel> kernel = tools.programs->MakeKernel(file, name, defines);
  if (!kernel.ok()) return kernel.status();
  MCPRUNER_RETURN_IF_ERROR(SetArgs(tools.device->api(), kernel->get(), 0, args...));
  return Launch{std::move(*kernel), range, name};
}

// Returns the step with one launch more, or the launch's error. `launch` is made before this is called, not in the same
// call: its arguments may be read from `step`, and compilers differ in the order in which they evaluate arguments.
Result<Step> AddLaunch(Step step, Result<Launch> launch);
// Returns a step of one launch, or the launch's error.
Result<Step> OneLaunch(Result<Launch> launch);

// Uploads a table that the step only reads, and keeps it with the step.
template <typename T>
Result<cl_mem> AddTable(const Device& device, const std::vector<T>& table, Step* step) {
  const auto bytes = static_cast<int64_t>(table.size() * sizeof(T));
  Result<ClBuffer> buffer = device.MakeBuffer(CL_MEM_READ_ONLY, bytes, table.data());
  if (!buffer.ok()) return buffer.status();
  step->buffers.push_back(std::move(*buffer));
  step->table_bytes += bytes;
  return step->buffers.back().get();
}

Extent ExtentOf(const Shape& shape);
Clamp ClampOf(Activation activation);

// Each of these makes the step of an op without empty tensors. The error says what the device lacks.
#define MCPRUNER_OP(name, Params, fewest, most, activation, family) \
  Result<Step> Make##family##Step(const StepContext& context);
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_OPS_STEP_H_
