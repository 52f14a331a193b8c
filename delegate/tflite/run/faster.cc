#include "delegate/tflite/run/faster.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace mcpruner {
namespace {

constexpr int kRounds = 4;  // the first one warms up

Result<double> TimeOnce(Executable* executable, Span<const float* const> inputs, Span<float* const> outputs) {
  const auto start = std::chrono::steady_clock::now();
  MCPRUNER_RETURN_IF_ERROR(executable->Run(inputs, outputs));
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<Race> RaceExecutables(const Graph& graph, Executable* first, Executable* second) {
  std::vector<std::vector<float>> buffers;
  for (const auto* list : {&graph.inputs, &graph.outputs}) {
    for (const int tensor : *list) buffers.emplace_back(static_cast<size_t>(graph.tensor(tensor).shape.size()), 0.5f);
  }
  std::vector<const float*> inputs;
  std::vector<float*> outputs;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (i < graph.inputs.size()) inputs.push_back(buffers[i].data());
    if (i >= graph.inputs.size()) outputs.push_back(buffers[i].data());
  }
  constexpr double kNever = std::numeric_limits<double>::infinity();
  Race race{kNever, kNever};
  for (int round = 0; round < kRounds; ++round) {
    const Result<double> first_ms = TimeOnce(first, inputs, outputs);
    if (!first_ms.ok()) return first_ms.status();
    const Result<double> second_ms = TimeOnce(second, inputs, outputs);
    if (!second_ms.ok()) return second_ms.status();
    if (round == 0) continue;
    race.first_ms = std::min(race.first_ms, *first_ms);
    race.second_ms = std::min(race.second_ms, *second_ms);
  }
  return race;
}

}  // namespace mcpruner
