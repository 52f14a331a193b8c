#include "delegate/tflite/run/backends.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "delegate/tflite/run/faster.h"

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

// y = relu(x).
Graph SmallGraph() {
  Graph graph;
  graph.tensors.resize(2);
  for (Tensor& tensor : graph.tensors) tensor.shape = {1, 1, 1, 3};
  graph.ops.push_back({OpType::kUnary, "relu", {0}, 1, Activation::kNone, UnaryParams{}});
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
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
  Backends backends{Options{}};
  const auto compiled = backends.Compile(SmallGraph(), 2);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  EXPECT_EQ(compiled->backend, BackendChoice::kCpu);
  EXPECT_EQ(compiled->reason, "");
  EXPECT_EQ(backends.num_threads(), 2);
}

TEST(BackendsTest, EachInterpreterHasItsNumberOfThreads) {
  Backends backends{Options{}};
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
  auto backends = std::make_unique<Backends>(Options{});
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
  const float x[] = {-1, 2, -3};
  float y[3];
  const std::vector<const float*> inputs{x};
  const std::vector<float*> outputs{y};
  ASSERT_TRUE(two->executable->Run(inputs, outputs).ok());
  EXPECT_EQ(y[1], 2);
}

TEST(BackendsTest, AutoSaysWhyItTakesTheCpu) {
  Options options;
  options.verbosity = 0;
  options.cache_dir = ::testing::TempDir();
  options.opencl_library = "libabsent.so";
  const auto compiled = Backends(options).Compile(SmallGraph(), 1);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  EXPECT_EQ(compiled->backend, BackendChoice::kCpu);
  EXPECT_EQ(compiled->reason.rfind("auto chose cpu: the opencl backend cannot be made (option opencl_library: ", 0), 0u)
      << compiled->reason;
}

}  // namespace
}  // namespace mcpruner
