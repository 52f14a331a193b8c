#include "delegate/opencl/run/tuner.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <random>

#include "delegate/base/relative_error.h"
#include "delegate/opencl/run/executable.h"
#include "delegate/opencl/run/parallel.h"

namespace mcpruner::opencl {
namespace {

// A tile's time is the least of kTries means of kRepeats inferences: more would be steadier but take longer. Other
// numbers were not measured.
constexpr int kTries = 3, kRepeats = 8;

Graph OneConv(const Graph& graph, const Op& op) {
  Graph one;
  one.tensors = {graph.tensor(op.inputs[0]), graph.tensor(op.output)};
  one.tensors[0].data = nullptr;
  one.inputs = {0};
  one.outputs = {1};
  one.ops = {op};
  one.ops[0].inputs = {0};
  one.ops[0].output = 1;
  return one;
}

// Times one tile. `y` receives its output.
Result<double> TimeTile(const Graph& graph, const DeviceTools& tools, const std::vector<float>& x,
                        std::vector<float>* y) {
  const auto executable = OpenClExecutable::Make(graph, tools, 0);
  if (!executable.ok()) return executable.status();
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y->data()};
  MCPRUNER_RETURN_IF_ERROR((*executable)->Run(inputs, outputs));
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const Result<double> time = (*executable)->KernelTime(kRepeats);
    if (!time.ok()) return time.status();
    least = std::min(least, *time);
  }
  return least;
}

// Builds the programs of all tiles side by side; whoever makes an executable then finds them, and what went wrong.
void BuildPrograms(const Graph& graph, const DeviceTools& tools, const std::vector<ConvTile>& tiles) {
  ForEach(tiles.size(), tools.tiles.build_threads, [&](size_t k) {
    DeviceTools forced = tools;
    forced.conv_tile = tiles[k];
    forced.log = nullptr;
    try {
      (void)OpenClExecutable::Make(graph, forced, 0);
    } catch (const std::exception&) {  // the others are worth building; this tile will fail again
    }
  });
}

std::string TileText(const ConvTile& tile) {
  return std::to_string(tile.lanes) + " lanes, " + std::to_string(tile.pixels) + " pixels, split " +
         std::to_string(tile.split);
}

std::string TimeText(const TileTime& time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f us", time.microseconds);
  return text;
}

}  // namespace

Result<std::vector<TileTime>> TimeConvTiles(const Graph& graph, const Op& op, const DeviceTools& tools) {
  const Graph one = OneConv(graph, op);
  const Shape& in = one.tensors[0].shape;
  const Shape& out = one.tensors[1].shape;
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> x(static_cast<size_t>(in.size())), y(static_cast<size_t>(out.size())), expected;
  for (float& value : x) value = uniform(rng);
  const double tolerance = tools.precision == Precision::kFloat32 ? 1e-4 : 5e-3;
  DeviceTools forced = tools;
  std::vector<TileTime> times;
  const std::vector<ConvTile> tiles =
      ConvTileCandidates(tools.device->info(), ConvSizesOf(*std::get<ConvParams>(op.params).layer, out));
  BuildPrograms(one, tools, tiles);
  Status failure = Status::Ok();
  for (const ConvTile& tile : tiles) {
    forced.conv_tile = tile;
    const Result<double> time = TimeTile(one, forced, x, &y);
    if (!time.ok()) {  // a large work-group may need more registers than there are
      failure = time.status();
      continue;
    }
    if (expected.empty()) expected = y;
    const double error = RelativeError(y, expected);
    if (!(error <= tolerance)) {
      return Status::Error("op '" + op.name + "' with " + TileText(tile) + " is off by " + std::to_string(error) +
                           " of its largest output: the device computes wrong numbers");
    }
    times.push_back({tile, *time});
  }
  if (times.empty() && !failure.ok()) return failure;
  std::sort(times.begin(), times.end(),
            [](const TileTime& a, const TileTime& b) { return a.microseconds < b.microseconds; });
  return times;
}

std::string TunedText(const std::vector<TileTime>& times, const ConvTile& table) {
  const auto of_table = std::find_if(times.begin(), times.end(), [&](const TileTime& t) { return t.tile == table; });
  return TileText(times.front().tile) + ": " + TimeText(times.front()) + ", by the table " +
         (of_table != times.end() ? TimeText(*of_table) : "not measured");
}

Status TuneGraph(const Graph& graph, const DeviceTools& tools) {
  for (const Op& op : graph.ops) {
    const auto* const conv = std::get_if<ConvParams>(&op.params);
    const Shape& out = graph.tensor(op.output).shape;
    if (conv == nullptr || out.size() == 0 || tools.tuned->Load(*conv, out)) continue;
    const Result<std::vector<TileTime>> times = TimeConvTiles(graph, op, tools);
    if (!times.ok()) return times.status();
    if (times->empty()) continue;
    tools.tuned->Store(*conv, out, times->front().tile);
    const ConvTile table = ChooseConvTile(tools.tiles, tools.device->info(), ConvSizesOf(*conv->layer, out));
    tools.log("tuned '" + op.name + "' to " + TunedText(*times, table));
  }
  return Status::Ok();
}

}  // namespace mcpruner::opencl
