// This benchmark times layers and networks on the first OpenCL device, dense and sparse in turns, each after a check
// against the cpu backend. It prints a table, and with a second argument writes all of it as JSON.
//
//     bench [runs [file.json]]
//     bench tiles                      all tiles on the networks' layers; the table's tile and the fastest ones printed
//
// Times are medians of the device in a full queue (queue_time.h): they are those of micro-kernels alone, without the
// copies at both ends. "Events" is the sum of each launch's own event instead, "wall" a whole inference as the caller
// sees it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/cpu_backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/opencl/bench/limits.h"
#include "delegate/opencl/bench/networks.h"
#include "delegate/opencl/opencl_backend.h"
#include "delegate/opencl/run/executable.h"
#include "delegate/opencl/run/tuner.h"

namespace mcpruner {
namespace {

constexpr double kDensity = 0.178;
constexpr double kTolerance = 1e-4;  // of the largest output
constexpr int kWarmUp = 3, kRepeats = 8;
constexpr size_t kTilesShown = 8;

// A Case is one graph on the device.
struct Case {
  Graph graph;
  std::unique_ptr<Executable> executable;
  std::vector<float> x, y;
  double error = 0;
  double macs = 0, bytes = 0;  // of one run
  std::string kernel;          // of the first op
  std::vector<double> device_us, event_us, wall_us;
  std::vector<std::vector<double>> op_us;  // of each op, by events

  double Median(std::vector<double> times) const {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
  double device() const { return Median(device_us); }
  double events() const { return Median(event_us); }
  double wall() const { return Median(wall_us); }
};

std::vector<float> RandomInput(const Graph& graph) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> x(static_cast<size_t>(graph.tensor(graph.inputs[0]).shape.size()));
  for (float& v : x) v = uniform(rng);
  return x;
}

Status RunOnce(Executable& executable, const std::vector<float>& x, std::vector<float>* y) {
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y->data()};
  return executable.Run(inputs, outputs);
}

bool IsEnd(const OpProfile& op) { return op.type == "Pack" || op.type == "Unpack"; }

// Adds the times of a run with events.
void AddEvents(Case* c) {
  const std::vector<OpProfile> profile = c->executable->Profile();
  c->op_us.resize(profile.size());
  c->event_us.push_back(0);
  for (size_t k = 0; k < profile.size(); ++k) {
    const double time = static_cast<double>(profile[k].nanoseconds) * 1e-3;
    c->op_us[k].push_back(time);
    if (!IsEnd(profile[k])) c->event_us.back() += time;
  }
}

Status TimeOnce(Case* c) {
  // The opencl backend makes no other executables.
  const auto time = static_cast<opencl::OpenClExecutable&>(*c->executable).KernelTime(kRepeats);
  if (!time.ok()) return time.status();
  c->device_us.push_back(*time);
  c->executable->SetProfiling(true);
  MCPRUNER_RETURN_IF_ERROR(RunOnce(*c->executable, c->x, &c->y));
  AddEvents(c);
  c->executable->SetProfiling(false);
  const auto start = std::chrono::steady_clock::now();
  MCPRUNER_RETURN_IF_ERROR(RunOnce(*c->executable, c->x, &c->y));
  c->wall_us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  return Status::Ok();
}

// Returns an executable as a case, after a comparison with `expected`.
Result<Case> MakeCase(std::unique_ptr<Executable> executable, const Graph& graph, const std::vector<float>& expected) {
  Case c;
  c.graph = graph;
  c.executable = std::move(executable);
  c.x = RandomInput(c.graph);
  c.y.resize(static_cast<size_t>(c.graph.tensor(c.graph.outputs[0]).shape.size()));
  MCPRUNER_RETURN_IF_ERROR(RunOnce(*c.executable, c.x, &c.y));
  c.error = RelativeError(c.y, expected);
  if (!(c.error <= kTolerance)) {
    return Status::Error("the device is off by " + std::to_string(c.error) + " of the largest output: nothing timed");
  }
  for (const OpProfile& op : c.executable->Profile()) {
    if (IsEnd(op)) continue;
    c.macs += static_cast<double>(op.macs);
    c.bytes += static_cast<double>(op.bytes);
    if (c.kernel.empty()) c.kernel = op.kernel;
  }
  return c;
}

// Ratios sums up logarithms for the geometric means of dense over sparse.
struct Ratios {
  double device_logs = 0, event_logs = 0;
  int count = 0;

  void Add(const Ratios& other, int times) {
    device_logs += times * other.device_logs;
    event_logs += times * other.event_logs;
    count += times * other.count;
  }
  void Print(const std::string& of) const {
    std::printf("%s: dense over sparse, geometric mean of %d: %.2f, by events %.2f\n\n", of.c_str(), count,
                std::exp(device_logs / count), std::exp(event_logs / count));
  }
};

class Bench {
 public:
  Bench(Backend& device, Backend& cpu, opencl::Limits limits, int runs, std::FILE* json)
      : device_(device), cpu_(cpu), limits_(limits), runs_(runs), json_(json) {}

  // Times a dense and a sparse graph in turns. Returns no ratio if a check fails.
  Ratios Compare(const char* group, const std::string& name, int batch, const Graph& dense, const Graph& sparse) {
    Result<Case> cases[] = {CheckedCase(dense), CheckedCase(sparse)};
    for (const Result<Case>& c : cases) {
      if (c.ok()) continue;
      std::printf("%-34s WRONG: %s\n", name.c_str(), c.message().c_str());
      right_ = false;
      return {};
    }
    for (int i = 0; i < kWarmUp + runs_; ++i) {
      for (Result<Case>& c : cases) {
        if (i == kWarmUp) c->device_us.clear(), c->event_us.clear(), c->wall_us.clear();
        if (const Status status = TimeOnce(&*c); !status.ok()) {
          std::printf("%-34s FAILED: %s\n", name.c_str(), status.message().c_str());
          right_ = false;
          return {};
        }
      }
    }
    Print(group, name, batch, *cases[0], *cases[1]);
    return {std::log(cases[0]->device() / cases[1]->device()), std::log(cases[0]->events() / cases[1]->events()), 1};
  }

  // Compares a network's layers. Each counts as often as it occurs.
  Ratios CompareLayers(const char* group, const std::vector<ConvShape>& shapes, int batch) {
    Ratios all;
    for (const ConvShape& shape : shapes) {
      all.Add(Compare(group, shape.Name(), batch, LayerGraph(shape, batch, 1.0), LayerGraph(shape, batch, kDensity)),
              shape.count);
    }
    all.Print(std::string(group) + ", batch " + std::to_string(batch));
    return all;
  }

  bool right() const { return right_; }

 private:
  // Compiles a graph and compares it with the cpu backend.
  Result<Case> CheckedCase(Graph graph) {
    MCPRUNER_RETURN_IF_ERROR(FuseGraph(&graph));
    auto reference = cpu_.Compile(graph);
    if (!reference.ok()) return reference.status();
    std::vector<float> expected(static_cast<size_t>(graph.tensor(graph.outputs[0]).shape.size()));
    MCPRUNER_RETURN_IF_ERROR(RunOnce(**reference, RandomInput(graph), &expected));
    auto executable = device_.Compile(graph);
    if (!executable.ok()) return executable.status();
    return MakeCase(std::move(*executable), graph, expected);
  }

  double Peak(const Case& c) const { return 2 * c.macs / c.device() * 1e-3 / limits_.gflops; }
  double Bandwidth(const Case& c) const { return c.bytes / c.device() * 1e-3 / limits_.gigabytes; }

  void Print(const char* group, const std::string& name, int batch, const Case& dense, const Case& sparse) {
    std::printf(
        "%-34s batch %d  dense %8.1f us %3.0f%% of peak  sparse %8.1f us %3.0f%%  ratio %5.2f  events %8.1f %8.1f us "
        "%5.2f  wall %8.1f %8.1f us "
        "%5.2f  error %.1e  %s | %s\n",
        name.c_str(), batch, dense.device(), 100 * Peak(dense), sparse.device(), 100 * Peak(sparse),
        dense.device() / sparse.device(), dense.events(), sparse.events(), dense.events() / sparse.events(),
        dense.wall(), sparse.wall(), dense.wall() / sparse.wall(), std::max(dense.error, sparse.error),
        dense.kernel.c_str(), sparse.kernel.c_str());
    std::fflush(stdout);
    if (json_ == nullptr) return;
    std::fprintf(json_, "%s{\"group\": \"%s\", \"name\": \"%s\", \"batch\": %d", first_ ? "" : ",\n ", group,
                 name.c_str(), batch);
    PrintCase("dense", dense);
    PrintCase("sparse", sparse);
    std::fprintf(json_, "}");
    first_ = false;
  }

  void PrintCase(const char* kind, const Case& c) {
    const auto [least, most] = std::minmax_element(c.device_us.begin(), c.device_us.end());
    std::fprintf(json_,
                 ",\n  \"%s\": {\"device_us\": %.2f, \"min_us\": %.2f, \"max_us\": %.2f, \"events_us\": %.2f, "
                 "\"wall_us\": %.2f, "
                 "\"gflops\": %.1f, \"of_peak\": %.4f, \"gigabytes\": %.1f, \"of_bandwidth\": %.4f, \"error\": %.2e, "
                 "\"kernel\": \"%s\", \"ops\": [",
                 kind, c.device(), *least, *most, c.events(), c.wall(), 2 * c.macs / c.device() * 1e-3, Peak(c),
                 c.bytes / c.device() * 1e-3, Bandwidth(c), c.error, c.kernel.c_str());
    const char* separator = "";
    const std::vector<OpProfile> profile = c.executable->Profile();
    for (size_t k = 0; k < profile.size(); ++k) {
      std::fprintf(json_, "%s[\"%s\", \"%s\", %.2f]", separator, profile[k].type.c_str(), profile[k].kernel.c_str(),
                   c.Median(c.op_us[k]));
      separator = ", ";
    }
    std::fprintf(json_, "]}");
  }

  Backend& device_;
  Backend& cpu_;
  const opencl::Limits limits_;
  const int runs_;
  std::FILE* const json_;
  bool first_ = true, right_ = true;
};

Result<std::shared_ptr<const opencl::Device>> OpenDevice() {
  const auto api = opencl::LoadOpenCl("");
  if (!api.ok()) return api.status();
  const auto info = opencl::ChooseDevice(*api);
  if (!info.ok()) return info.status();
  return opencl::Device::Open(*api, *info);
}

Status RunBench(int runs, std::FILE* json) {
  const auto opened = OpenDevice();
  if (!opened.ok()) return opened.status();
  const opencl::DeviceInfo& info = (*opened)->info();
  const auto limits = opencl::MeasureLimits(**opened);
  if (!limits.ok()) return limits.status();
  std::printf("%s, %s, driver %s: %.0f GFLOP/s, %.0f GB/s, measured\n\n", info.name.c_str(), info.version.c_str(),
              info.driver.c_str(), limits->gflops, limits->gigabytes);
  if (json != nullptr) {
    std::fprintf(json,
                 "{\"device\": \"%s\", \"version\": \"%s\", \"driver\": \"%s\", \"density\": %g, \"runs\": %d, "
                 "\"peak_gflops\": %.1f, \"peak_gigabytes\": %.1f,\n\"cases\": [",
                 info.name.c_str(), info.version.c_str(), info.driver.c_str(), kDensity, runs, limits->gflops,
                 limits->gigabytes);
  }
  const auto device = CreateOpenClBackend({});
  if (!device.ok()) return device.status();
  const auto cpu = CreateCpuBackend({4, ""});
  if (!cpu.ok()) return cpu.status();
  Bench bench(**device, **cpu, *limits, runs, json);
  bench.CompareLayers("prototype", PrototypeLayers(), 1);
  Ratios layers;
  for (const int batch : {1, 8}) {
    layers.Add(bench.CompareLayers("resnet18", ResNet18Layers(), batch), 1);
    layers.Add(bench.CompareLayers("vgg16", Vgg16Layers(), batch), 1);
  }
  layers.Print("all layers of both");
  bench.Compare("network", "resnet18", 1, ResNet18(1, 1.0), ResNet18(1, kDensity));
  bench.Compare("network", "vgg16", 1, Vgg16(1, 1.0), Vgg16(1, kDensity));
  if (json != nullptr) std::fprintf(json, "]}\n");
  return bench.right() ? Status::Ok() : Status::Error("not everything was right");
}

void PrintTile(const char* what, const opencl::TileTime& time) {
  std::printf("  %-5s %8.1f us  %d lanes, %d pixels, split %d\n", what, time.microseconds, time.tile.lanes,
              time.tile.pixels, time.tile.split);
}

// Times every tile on a layer, each after a comparison with the first one.
Status TryTiles(const ConvShape& shape, double density, const opencl::DeviceTools& tools) {
  const Graph graph = LayerGraph(shape, 1, density);
  const auto times = opencl::TimeConvTiles(graph, graph.ops[0], tools);
  if (!times.ok()) return times.status();
  const ConvParams& conv = std::get<ConvParams>(graph.ops[0].params);
  const Shape& out = graph.tensor(graph.ops[0].output).shape;
  const opencl::ConvTile table =
      opencl::ChooseConvTile(tools.tiles, tools.device->info(), opencl::ConvSizesOf(*conv.layer, out));
  std::printf("%s, density %g\n", shape.Name().c_str(), density);
  for (const opencl::TileTime& time : *times) {
    if (time.tile == table) PrintTile("table", time);
  }
  for (size_t i = 0; i < std::min<size_t>(times->size(), kTilesShown); ++i) PrintTile("", (*times)[i]);
  std::fflush(stdout);
  return Status::Ok();
}

Status TryAllTiles() {
  const auto device = OpenDevice();
  if (!device.ok()) return device.status();
  opencl::Programs programs(*device, {{"STORAGE_HALF", "0"}, {"ARITHMETIC_HALF", "0"}}, opencl::DiskCache(""));
  opencl::WeightCache weights;
  const opencl::TunedTiles none(opencl::DiskCache(""), (*device)->info(), Precision::kFloat32);
  const opencl::DeviceTools tools{
      *device, &programs, &weights, opencl::TilesFor((*device)->info()), Precision::kFloat32, &none, {}, {}};
  for (const std::vector<ConvShape>& shapes : {Vgg16Layers(), ResNet18Layers()}) {
    for (const ConvShape& shape : shapes) {
      for (const double density : {kDensity, 1.0}) MCPRUNER_RETURN_IF_ERROR(TryTiles(shape, density, tools));
    }
  }
  return Status::Ok();
}

int Main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "tiles") {
    const Status status = TryAllTiles();
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
    return status.ok() ? 0 : 1;
  }
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  std::FILE* const json = argc > 2 ? std::fopen(argv[2], "w") : nullptr;
  const Status status = RunBench(runs, json);
  if (json != nullptr) std::fclose(json);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace mcpruner

int main(int argc, char** argv) { return mcpruner::Main(argc, argv); }
