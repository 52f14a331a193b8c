#include "delegate/opencl/run/executable.h"

#include <cstring>
#include <utility>

#include "delegate/graph/op_stats.h"
#include "delegate/graph/passes/lifetimes.h"
#include "delegate/opencl/ops/copy/copy_step.h"
#include "delegate/opencl/plan/legalize.h"
#include "delegate/opencl/run/make_steps.h"

namespace mcpruner::opencl {

Result<std::unique_ptr<OpenClExecutable>> OpenClExecutable::Make(const Graph& graph, const DeviceTools& tools,
                                                                 int guard_elements) {
  std::unique_ptr<OpenClExecutable> executable(new OpenClExecutable(graph, tools, guard_elements));
  MCPRUNER_RETURN_IF_ERROR(executable->Prepare());
  return executable;
}

Status OpenClExecutable::Prepare() {
  Legalize(&graph_);
  Result<ClQueue> queue = tools_.device->MakeQueue(false);
  if (!queue.ok()) return queue.status();
  queue_ = std::move(*queue);
  MCPRUNER_RETURN_IF_ERROR(PlanArena());
  MCPRUNER_RETURN_IF_ERROR(ClearArena());
  MCPRUNER_RETURN_IF_ERROR(UploadConstants());
  MCPRUNER_RETURN_IF_ERROR(PrepareSteps());
  return MakeEnds();
}

Status OpenClExecutable::PlanArena() {
  const Result<std::vector<PlaneLayout>> layouts = PlanPlanes(graph_);
  if (!layouts.ok()) return layouts.status();
  std::vector<Lifetime> lifetimes = TensorLifetimes(graph_);
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    if (graph_.tensors[i].data != nullptr) lifetimes[i] = {0, static_cast<int>(graph_.ops.size())};
  }
  Result<SlotPlan> plan = PlanSlots(*layouts, lifetimes, guard_elements_);
  if (!plan.ok()) return plan.status();
  plan_ = std::move(*plan);
  for (size_t i = 0; i < layouts->size(); ++i) tensors_.push_back({(*layouts)[i], plan_.offsets[i]});
  Result<ClBuffer> arena = tools_.device->MakeBuffer(CL_MEM_READ_WRITE, ArenaBytes());
  if (!arena.ok()) return arena.status();
  arena_ = std::move(*arena);
  return Status::Ok();
}

Status OpenClExecutable::Fill(int64_t first, int64_t elements, uint8_t byte) {
  if (elements == 0) return Status::Ok();
  const uint32_t pattern = byte * 0x01010101u;
  const auto size = static_cast<size_t>(ElementBytes(tools_.precision));
  return ClStatus(tools_.device->api().clEnqueueFillBuffer(queue_.get(), arena_.get(), &pattern, size,
                                                           static_cast<size_t>(first) * size,
                                                           static_cast<size_t>(elements) * size, 0, nullptr, nullptr),
                  "clearing tensors");
}

Status OpenClExecutable::ClearArena() {
  MCPRUNER_RETURN_IF_ERROR(Fill(0, plan_.elements, 0));
  for (const int64_t end : plan_.ends) MCPRUNER_RETURN_IF_ERROR(Fill(end, guard_elements_, kGuardByte));
  return Status::Ok();
}

Status OpenClExecutable::UploadConstants() {
  const OpenClApi& api = tools_.device->api();
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto& data = graph_.tensors[i].data;
    if (data == nullptr || tensors_[i].offset < 0) continue;
    const auto bytes = static_cast<int64_t>(data->size() * sizeof(float));
    Result<ClBuffer> nhwc = tools_.device->MakeBuffer(CL_MEM_READ_ONLY, bytes, data->data());
    if (!nhwc.ok()) return nhwc.status();
    const Result<Launch> pack = MakePack(tools_, nhwc->get(), tensors_[i], arena_.get());
    if (!pack.ok()) return pack.status();
    MCPRUNER_RETURN_IF_ERROR(Enqueue(api, queue_.get(), *pack, nullptr));
    MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFinish(queue_.get()), "uploading constants"));
  }
  return ClStatus(api.clFinish(queue_.get()), "clearing tensors");
}

Status OpenClExecutable::PrepareSteps() {
  Result<std::vector<Step>> steps = MakeSteps(graph_, tensors_, tools_, arena_.get());
  if (!steps.ok()) return steps.status();
  steps_ = std::move(*steps);
  for (const Step& step : steps_) {
    weight_bytes_ += step.table_bytes;
    for (const auto& weights : step.weights) weight_bytes_ += weights->bytes;
  }
  return Status::Ok();
}

Result<OpenClExecutable::End> OpenClExecutable::MakeEnd(int tensor, bool is_input) {
  End end;
  const PlaneTensor& planes = tensors_[static_cast<size_t>(tensor)];
  if (planes.offset < 0) return end;
  end.bytes = static_cast<size_t>(planes.layout.shape.size()) * sizeof(float);
  const cl_mem_flags access = is_input ? CL_MEM_READ_ONLY : CL_MEM_WRITE_ONLY;
  Result<ClBuffer> staging = tools_.device->MakeBuffer(access | CL_MEM_ALLOC_HOST_PTR, static_cast<int64_t>(end.bytes));
  if (!staging.ok()) return staging.status();
  end.staging = std::move(*staging);
  Result<Launch> launch = is_input ? MakePack(tools_, end.staging.get(), planes, arena_.get())
                                   : MakeUnpack(tools_, planes, arena_.get(), end.staging.get());
  if (!launch.ok()) return launch.status();
  end.launches.push_back(std::move(*launch));
  return end;
}

Status OpenClExecutable::MakeEnds() {
  for (const int tensor : graph_.inputs) {
    Result<End> end = MakeEnd(tensor, true);
    if (!end.ok()) return end.status();
    inputs_.push_back(std::move(*end));
    profile_.push_back(DescribeConversion(graph_, tensor, "Pack", "copy", ElementBytes(tools_.precision)));
  }
  for (size_t k = 0; k < graph_.ops.size(); ++k) {
    profile_.push_back(DescribeOp(graph_, graph_.ops[k]));
    profile_.back().kernel = steps_[k].launches.empty() ? "none" : steps_[k].launches[0].name;
  }
  for (const int tensor : graph_.outputs) {
    Result<End> end = MakeEnd(tensor, false);
    if (!end.ok()) return end.status();
    outputs_.push_back(std::move(*end));
    profile_.push_back(DescribeConversion(graph_, tensor, "Unpack", "copy", ElementBytes(tools_.precision)));
  }
  return Status::Ok();
}

Status OpenClExecutable::WriteStaging(const End& end, const void* from) {
  const OpenClApi& api = tools_.device->api();
  cl_int error = CL_SUCCESS;
  void* const to = api.clEnqueueMapBuffer(queue(), end.staging.get(), CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0,
                                          end.bytes, 0, nullptr, nullptr, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "mapping an input"));
  std::memcpy(to, from, end.bytes);
  return ClStatus(api.clEnqueueUnmapMemObject(queue(), end.staging.get(), to, 0, nullptr, nullptr), "writing an input");
}

Status OpenClExecutable::ReadStaging(const End& end, void* to) {
  const OpenClApi& api = tools_.device->api();
  cl_int error = CL_SUCCESS;
  void* const from = api.clEnqueueMapBuffer(queue(), end.staging.get(), CL_TRUE, CL_MAP_READ, 0, end.bytes, 0, nullptr,
                                            nullptr, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "waiting for an output"));
  std::memcpy(to, from, end.bytes);
  return ClStatus(api.clEnqueueUnmapMemObject(queue(), end.staging.get(), from, 0, nullptr, nullptr),
                  "reading an output");
}

Status OpenClExecutable::EnqueueAll(const std::vector<Launch>& launches, size_t entry) {
  const OpenClApi& api = tools_.device->api();
  for (const Launch& launch : launches) {
    cl_event event = nullptr;
    MCPRUNER_RETURN_IF_ERROR(Enqueue(api, queue(), launch, timed_queue_ ? &event : nullptr));
    if (event != nullptr) timed_.push_back({ClEvent(api, event), entry});
    if (++launches_since_flush_ < tools_.tiles.launches_per_flush) continue;
    launches_since_flush_ = 0;
    MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFlush(queue()), "starting launches"));
  }
  return Status::Ok();
}

Status OpenClExecutable::Run(Span<const float* const> inputs, Span<float* const> outputs) {
  MCPRUNER_RETURN_IF_ERROR(CheckEnds(graph_, inputs.size(), outputs.size()));
  timed_.clear();
  size_t entry = 0;
  for (size_t i = 0; i < inputs_.size(); ++i, ++entry) {
    if (inputs_[i].launches.empty()) continue;
    MCPRUNER_RETURN_IF_ERROR(WriteStaging(inputs_[i], inputs[i]));
    MCPRUNER_RETURN_IF_ERROR(EnqueueAll(inputs_[i].launches, entry));
  }
  for (const Step& step : steps_) MCPRUNER_RETURN_IF_ERROR(EnqueueAll(step.launches, entry++));
  for (const End& output : outputs_) MCPRUNER_RETURN_IF_ERROR(EnqueueAll(output.launches, entry++));
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].launches.empty()) MCPRUNER_RETURN_IF_ERROR(ReadStaging(outputs_[i], outputs[i]));
  }
  return timed_queue_ ? CollectTimes() : Status::Ok();
}

Status OpenClExecutable::CollectTimes() {
  const OpenClApi& api = tools_.device->api();
  MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFinish(queue()), "waiting for the launches"));
  for (OpProfile& profile : profile_) profile.runs += 1;
  for (const Timed& timed : timed_) {
    cl_ulong start = 0, end = 0;
    const auto ask = [&](cl_profiling_info what, cl_ulong* time) {
      return ClStatus(api.clGetEventProfilingInfo(timed.event.get(), what, sizeof *time, time, nullptr),
                      "asking for a launch's time");
    };
    MCPRUNER_RETURN_IF_ERROR(ask(CL_PROFILING_COMMAND_START, &start));
    MCPRUNER_RETURN_IF_ERROR(ask(CL_PROFILING_COMMAND_END, &end));
    profile_[timed.entry].nanoseconds += static_cast<int64_t>(end - start);
  }
  return Status::Ok();
}

void OpenClExecutable::SetProfiling(bool enabled) {
  timed_queue_ = ClQueue();
  if (!enabled) return;
  for (OpProfile& op : profile_) op.runs = op.nanoseconds = 0;
  // If there is no such queue, the profile stays at zero runs.
  Result<ClQueue> queue = tools_.device->MakeQueue(true);
  if (queue.ok()) timed_queue_ = std::move(*queue);
}

}  // namespace mcpruner::opencl
