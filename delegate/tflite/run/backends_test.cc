#include "delegate/tflite/run/backends.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "delegate/graph/testing/faulty_backend.h"
#include "delegate/opencl/run/self_check.h"
#include "delegate/tflite/run/faster.h"
#include "delegate/tflite/testing/faulty_backends.h"

namespace mcpruner {
namespace {

class Sleeper : public Executable {
 public:
  explicit Sleeper(int milliseconds) : milliseconds_(milliseconds) {}
  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override {
    outputs[0][0] = inputs[0][0];
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds_));
    return milliseconds_ > 0 ? Status::Ok() : Status::Error("the device is gone");
  }
  void SetProfiling(bool) override {}
  std::vector<OpProfile> Profile() const override { return {}; }
  Status FillMemory(float) override { return Status::Ok(); }
  int64_t ArenaBytes() const override { return 0; }
  int64_t WeightBytes() const override { return 0; }

 private:
  const int milliseconds_;
};

// The graph is y = relu(x).
Graph SmallGraph() {
  Graph graph;
  graph.tensors.resize(2);
  for (Tensor& tensor : graph.tensors) tensor.shape = {1, 1, 1, 3};
  graph.ops.push_back({OpType::kUnary, "relu", {0}, 1, Activation::kNone, UnaryParams{}});
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

Backends RealBackends(const Options& options) { return {options, std::make_unique<BackendFactory>()}; }

// Plain loops stand in for the device, so that what follows from its failures is tested on every machine.
class PlainLoopsAsOpenCl : public BackendFactory {
 public:
  Result<std::unique_ptr<Backend>> OpenCl(const OpenClOptions& options) override {
    std::unique_ptr<Backend> backend = CreateReferenceBackend();
    MCPRUNER_RETURN_IF_ERROR(opencl::SelfCheck(backend.get(), options.self_check));
    return backend;
  }
};

Backends FaultyBackends(const Options& options, const char* fault) {
  Result<std::unique_ptr<BackendFactory>> factory = MakeFaultyBackends(fault, std::make_unique<PlainLoopsAsOpenCl>());
  EXPECT_TRUE(factory.ok()) << factory.message();
  return {options, std::move(*factory)};
}

// The self-check finds this device off by a share of the largest output.
class OffByAShare : public BackendFactory {
 public:
  explicit OffByAShare(float share) : share_(share) {}
  Result<std::unique_ptr<Backend>> OpenCl(const OpenClOptions& options) override {
    constexpr int kProbabilities = 12;  // in the second output of the self-check's network: 2 images of 6 classes
    const auto scale = [share = share_](Span<float* const> outputs) {
      for (int i = 0; i < kProbabilities; ++i) outputs[1][i] *= 1.0f + share;
      return Status::Ok();
    };
    FaultyBackend device(CreateReferenceBackend(), {nullptr, scale});
    MCPRUNER_RETURN_IF_ERROR(opencl::SelfCheck(&device, options.self_check));
    return CreateReferenceBackend();
  }

 private:
  const float share_;
};

Options Silent(BackendChoice backend) {
  Options options;
  options.verbosity = 0;
  options.backend = backend;
  return options;
}

// There is a folder, so that auto looks for a device.
Options SilentAuto() {
  Options options = Silent(BackendChoice::kAuto);
  options.cache_dir = ::testing::TempDir();
  return options;
}

Status RunOnce(Executable* executable, float* y) {
  const float x[] = {-1, 2, -3};
  const std::vector<const float*> inputs{x};
  const std::vector<float*> outputs{y};
  return executable->Run(inputs, outputs);
}

TEST(FasterTest, TimesBoth) {
  Sleeper quick(1), slow(20);
  const auto race = RaceExecutables(SmallGraph(), &slow, &quick);
  ASSERT_TRUE(race.ok()) << race.message();
  EXPECT_GE(race->first_ms, 20);
  EXPECT_GE(race->second_ms, 1);
  Sleeper broken(0);
  EXPECT_EQ(RaceExecutables(SmallGraph(), &quick, &broken).message(), "the device is gone");
}

TEST(BackendsTest, AutoWithoutAFolderTakesTheCpu) {
  Backends backends = RealBackends(Options{});
  const auto compiled = backends.Compile(SmallGraph(), 2);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  EXPECT_EQ(compiled->backend, BackendChoice::kCpu);
  EXPECT_EQ(compiled->reason, "");
  EXPECT_EQ(backends.num_threads(), 2);
}

TEST(BackendsTest, EachInterpreterHasItsNumberOfThreads) {
  Backends backends = RealBackends(Options{});
  ASSERT_TRUE(backends.Compile(SmallGraph(), 2).ok());
  ASSERT_TRUE(backends.Compile(SmallGraph(), 5).ok());
  const auto compiled = backends.CompileAfterFailure(SmallGraph(), 2, "the device is gone");
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  EXPECT_EQ(compiled->backend, BackendChoice::kCpu);
  EXPECT_EQ(compiled->reason, "the opencl backend failed (the device is gone), the cpu backend runs instead");
  EXPECT_EQ(backends.num_threads(), 2);
  ASSERT_TRUE(backends.Compile(SmallGraph(), -1).ok());
  EXPECT_EQ(backends.num_threads(), 1);
}

TEST(BackendsTest, ABackendLivesAsLongAsWhatItCompiled) {
  auto backends = std::make_unique<Backends>(Options{}, std::make_unique<BackendFactory>());
  auto two = backends->Compile(SmallGraph(), 2), three = backends->Compile(SmallGraph(), 3);
  ASSERT_TRUE(two.ok() && three.ok());
  EXPECT_EQ(backends->Compile(SmallGraph(), 2)->owner, two->owner);
  EXPECT_NE(two->owner, three->owner);
  const std::weak_ptr<Backend> last = two->owner, other = three->owner;
  two = Status::Error("gone");
  three = Status::Error("gone");
  EXPECT_FALSE(last.expired());  // for the next resize
  EXPECT_TRUE(other.expired());
  two = backends->Compile(SmallGraph(), 2);
  EXPECT_EQ(two->owner, last.lock());
  backends.reset();
  float y[3];
  ASSERT_TRUE(RunOnce(two->executable.get(), y).ok());
  EXPECT_EQ(y[1], 2);
}

TEST(BackendsTest, AutoSaysWhyItTakesTheCpu) {
  Options options = SilentAuto();
  options.opencl_library = "libabsent.so";
  const auto compiled = RealBackends(options).Compile(SmallGraph(), 1);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  EXPECT_EQ(compiled->backend, BackendChoice::kCpu);
  EXPECT_EQ(compiled->reason.rfind("auto chose cpu: the opencl backend cannot be made (option opencl_library: ", 0), 0u)
      << compiled->reason;
}

TEST(BackendsTest, TheNextBackendStepsInAndSaysWhy) {
  const struct {
    const char* fault;
    BackendChoice asked, ran;
    const char* reason;
  } cases[] = {
      {"none", BackendChoice::kOpenCl, BackendChoice::kOpenCl, ""},
      {"opencl_create", BackendChoice::kOpenCl, BackendChoice::kCpu,
       "the opencl backend cannot be made (fault injection: opencl_create), the cpu backend runs instead"},
      {"opencl_wrong", BackendChoice::kOpenCl, BackendChoice::kCpu,
       "the opencl backend cannot be made (the device computes wrong numbers (self-check: off by 0 of the largest, "
       "expected at most -1); another driver may mend it), the cpu backend runs instead"},
      {"opencl_compile", BackendChoice::kOpenCl, BackendChoice::kCpu,
       "the opencl backend refuses it (fault injection: opencl_compile), the cpu backend runs instead"},
      {"cpu_create", BackendChoice::kCpu, BackendChoice::kReference,
       "the cpu backend cannot be made (fault injection: cpu_create), the reference backend runs instead"},
      {"cpu_compile", BackendChoice::kCpu, BackendChoice::kReference,
       "the cpu backend refuses it (fault injection: cpu_compile), the reference backend runs instead"},
  };
  for (const auto& c : cases) {
    const auto compiled = FaultyBackends(Silent(c.asked), c.fault).Compile(SmallGraph(), 1);
    ASSERT_TRUE(compiled.ok()) << compiled.message();
    EXPECT_EQ(compiled->backend, c.ran) << c.fault;
    EXPECT_EQ(compiled->reason, c.reason);
    float y[3];
    EXPECT_TRUE(RunOnce(compiled->executable.get(), y).ok());
    EXPECT_EQ(y[1], 2);
  }
}

TEST(BackendsTest, ADeviceIsOffByATenThousandthAtMostAndInHalvesByAHundredth) {
  const struct {
    Precision precision;
    float share;
    bool passes;
  } cases[] = {
      {Precision::kFloat32, 9e-5f, true},           {Precision::kFloat32, 1.1e-4f, false},
      {Precision::kFloat32, 5e-3f, false},          {Precision::kFloat16, 9e-3f, true},
      {Precision::kFloat16, 1.1e-2f, false},        {Precision::kFloat16Storage, 9e-3f, true},
      {Precision::kFloat16Storage, 1.1e-2f, false},
  };
  for (const auto& c : cases) {
    Options options = Silent(BackendChoice::kOpenCl);
    options.precision = c.precision;
    const auto compiled = Backends(options, std::make_unique<OffByAShare>(c.share)).Compile(SmallGraph(), 1);
    ASSERT_TRUE(compiled.ok()) << compiled.message();
    EXPECT_EQ(compiled->backend, c.passes ? BackendChoice::kOpenCl : BackendChoice::kCpu) << c.share;
    EXPECT_EQ(compiled->reason.find("(self-check: off by ") == std::string::npos, c.passes) << compiled->reason;
  }
}

TEST(BackendsTest, ADeviceThatFailedInAnInferenceIsNotAskedAgain) {
  Backends backends = FaultyBackends(Silent(BackendChoice::kOpenCl), "opencl_run");
  const auto first = backends.Compile(SmallGraph(), 1);
  ASSERT_TRUE(first.ok()) << first.message();
  EXPECT_EQ(first->backend, BackendChoice::kOpenCl);
  float y[3];
  const Status failure = RunOnce(first->executable.get(), y);
  EXPECT_EQ(failure.message(), "fault injection: opencl_run");
  const auto mended = backends.CompileAfterFailure(SmallGraph(), 1, failure.message());
  ASSERT_TRUE(mended.ok()) << mended.message();
  EXPECT_EQ(mended->backend, BackendChoice::kCpu);
  const auto resized = backends.Compile(SmallGraph(), 1);
  ASSERT_TRUE(resized.ok()) << resized.message();
  EXPECT_EQ(resized->backend, BackendChoice::kCpu);
  EXPECT_EQ(resized->reason,
            "the opencl backend cannot be made (it failed in an inference: fault injection: opencl_run), the cpu "
            "backend runs instead");
}

TEST(BackendsTest, AutoChoosesWhatRuns) {
  const auto measured = FaultyBackends(SilentAuto(), "none").Compile(SmallGraph(), 1);
  ASSERT_TRUE(measured.ok()) << measured.message();
  EXPECT_EQ(measured->reason.rfind("auto chose " + std::string(BackendName(measured->backend)) + ": opencl takes ", 0),
            0u)
      << measured->reason;
  const auto cpu = FaultyBackends(SilentAuto(), "opencl_run").Compile(SmallGraph(), 1);
  ASSERT_TRUE(cpu.ok()) << cpu.message();
  EXPECT_EQ(cpu->backend, BackendChoice::kCpu);
  EXPECT_EQ(cpu->reason, "auto chose cpu: the opencl backend failed (fault injection: opencl_run)");
  const auto opencl = FaultyBackends(SilentAuto(), "cpu_compile").Compile(SmallGraph(), 1);
  ASSERT_TRUE(opencl.ok()) << opencl.message();
  EXPECT_EQ(opencl->backend, BackendChoice::kOpenCl);
  EXPECT_EQ(opencl->reason, "auto chose opencl: the cpu backend refuses it (fault injection: cpu_compile)");
}

TEST(BackendsTest, WithoutMemoryForAnyBackendTheCallerIsTold) {
  EXPECT_THROW((void)FaultyBackends(Silent(BackendChoice::kOpenCl), "allocate").Compile(SmallGraph(), 1),
               std::bad_alloc);
}

TEST(FaultyBackendsTest, AnUnknownFaultIsOneSentence) {
  EXPECT_EQ(MakeFaultyBackends("fire").message(),
            "option fault: expected one of none, opencl_create, opencl_wrong, opencl_compile, opencl_run, cpu_create, "
            "cpu_compile, allocate, invoke, got 'fire'");
}

}  // namespace
}  // namespace mcpruner
