#include "delegate/opencl/run/queue_time.h"

#include <optional>
#include <string>
#include <utility>

namespace mcpruner::opencl {
namespace {

constexpr int kFirstRounds = 1 << 18, kMostRounds = 1 << 26;  // these take about 0.6 and 150 ms on an H200

Result<cl_ulong> EndOf(const OpenClApi& api, const ClEvent& event) {
  cl_ulong end = 0;
  MCPRUNER_RETURN_IF_ERROR(
      ClStatus(api.clGetEventProfilingInfo(event.get(), CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr),
               "timing a launch"));
  return end;
}

Result<ClEvent> EnqueueTimed(const OpenClApi& api, cl_command_queue queue, const Launch& launch) {
  cl_event event = nullptr;
  MCPRUNER_RETURN_IF_ERROR(Enqueue(api, queue, launch, &event));
  return ClEvent(api, event);
}

// Returns the time behind `hold`, or none if the device had finished holding before all was enqueued.
Result<std::optional<double>> TimeBehind(const Launch& hold, const std::vector<const Launch*>& launches, int repeats,
                                         const OpenClApi& api, cl_command_queue queue) {
  const Result<ClEvent> held = EnqueueTimed(api, queue, hold);
  if (!held.ok()) return held.status();
  MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFlush(queue), "starting a launch"));
  const size_t count = launches.size() * static_cast<size_t>(repeats);
  for (size_t i = 0; i + 1 < count; ++i) {
    MCPRUNER_RETURN_IF_ERROR(Enqueue(api, queue, *launches[i % launches.size()], nullptr));
  }
  const Result<ClEvent> last = EnqueueTimed(api, queue, *launches.back());
  if (!last.ok()) return last.status();
  MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFlush(queue), "starting launches"));
  cl_int state = CL_COMPLETE;
  MCPRUNER_RETURN_IF_ERROR(ClStatus(
      api.clGetEventInfo(held->get(), CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, nullptr), "timing"));
  MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clFinish(queue), "waiting for the launches"));
  if (state <= CL_COMPLETE) return std::optional<double>();
  const Result<cl_ulong> begin = EndOf(api, *held), end = EndOf(api, *last);
  if (!begin.ok()) return begin.status();
  if (!end.ok()) return end.status();
  return std::optional<double>(static_cast<double>(*end - *begin) * 1e-3 / repeats);
}

}  // namespace

Result<double> QueueTime(const DeviceTools& tools, const std::vector<Step>& steps, int repeats) {
  std::vector<const Launch*> launches;
  for (const Step& step : steps) {
    for (const Launch& launch : step.launches) launches.push_back(&launch);
  }
  if (launches.empty()) return 0.0;
  const Result<ClQueue> queue = tools.device->MakeQueue(true);
  if (!queue.ok()) return queue.status();
  const float zero = 0;
  const Result<ClBuffer> scratch = tools.device->MakeBuffer(CL_MEM_READ_WRITE, sizeof zero, &zero);
  if (!scratch.ok()) return scratch.status();
  for (int rounds = kFirstRounds; rounds <= kMostRounds; rounds *= 2) {
    const Result<Launch> hold = MakeLaunch(tools, "hold.cl", "hold", {}, Range{}, scratch->get(), rounds);
    if (!hold.ok()) return hold.status();
    const Result<std::optional<double>> time = TimeBehind(*hold, launches, repeats, tools.device->api(), queue->get());
    if (!time.ok()) return time.status();
    if (*time) return **time;
  }
  return Status::Error("'" + tools.device->info().name + "' ran out of work while " +
                       std::to_string(launches.size() * static_cast<size_t>(repeats)) +
                       " launches were enqueued: their times would be the host's");
}

}  // namespace mcpruner::opencl
