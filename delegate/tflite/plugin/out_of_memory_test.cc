// In these tests, memory runs out at any allocation of load, prepare, resize, invoke and teardown. What failed is then
// done again.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/tflite/abi/guard.h"
#include "delegate/tflite/mcpruner_delegate.h"
#include "delegate/tflite/run/backends.h"
#include "delegate/tflite/testing/failing_memory.h"
#include "delegate/tflite/testing/small_model.h"
#include "delegate/tflite/testing/whose_call.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                              void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
}

namespace mcpruner {
namespace {

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Keeps the error of tflite_plugin_create_delegate.
thread_local std::string create_error;
void NoteError(const char* text) {
  const WhoseCall mark(false);
  create_error = text;
}

using Outputs = std::map<std::pair<int, int>, std::vector<float>>;  // by height and width

// An App keeps what it has reached when a later part fails.
class App {
 public:
  App(const char* backend, const Outputs& expected) : backend_(backend), expected_(expected) {}
  ~App() { TearDown(); }

  // Returns the first part that fails, or "" if none does.
  std::string Run() {
    if (delegate_ == nullptr) Create();
    if (delegate_ == nullptr) return "create";
    if (!applied_ && model_.runtime().Apply(delegate_) != kTfLiteOk) return "apply";
    applied_ = true;
    CallDelegate([&] { McprunerDelegateSetProfiling(delegate_, 1); });
    for (const auto& [height, width] : {std::pair<int, int>{4, 6}, {9, 5}}) {
      if (model_.Allocate(height, width) != kTfLiteOk) return "allocate";
      if (model_.Invoke() != kTfLiteOk) return "invoke";
      EXPECT_TRUE(Agree(model_.Outputs(), expected_.at({height, width}))) << height << "x" << width;
    }
    if (CallDelegate([&] { return McprunerDelegateProfileJson(delegate_, nullptr, 0); }) == 0) return "profile";
    return CallDelegate([&] { return McprunerDelegateReportJson(delegate_, nullptr, 0); }) == 0 ? "report" : "";
  }

  void TearDown() {
    model_.runtime().FreeKernels();
    CallDelegate([&] { tflite_plugin_destroy_delegate(delegate_); });
    delegate_ = nullptr;
  }

  std::string Errors() { return create_error + model_.runtime().errors(); }

 private:
  void Create() {
    const char* const keys[] = {"backend", "num_threads", "verbosity", "opencl_library"};
    const char* const values[] = {backend_, "3", "0", "libabsent.so"};
    create_error.clear();
    delegate_ = CallDelegate([&] { return tflite_plugin_create_delegate(keys, values, 4, NoteError); });
  }

  const char* const backend_;
  const Outputs& expected_;
  TfLiteDelegate* delegate_ = nullptr;
  SmallModel model_;
  bool applied_ = false;
};

class OutOfMemory : public testing::TestWithParam<const char*> {
 protected:
  // The loader's drivers must not meet a failure on purpose.
  void SetUp() override { setenv("OCL_ICD_VENDORS", "/no/such/folder", 1); }

  // Returns whether an allocation failed.
  bool FailAt(int first, FailingMemory::Mode mode) {
    App app(GetParam(), expected_);
    std::string failed;
    bool happened = false;
    {
      const FailingMemory fails(first, mode);
      failed = app.Run();
      happened = fails.happened();
    }
    if (failed == "create" || failed == "apply" || failed == "allocate" || failed == "invoke") {
      EXPECT_TRUE(Has(app.Errors(), "out of memory")) << failed << ": " << app.Errors();
    }
    EXPECT_TRUE(happened || failed.empty()) << failed;
    EXPECT_EQ(app.Run(), "") << app.Errors();
    const FailingMemory fails(0, FailingMemory::kFromThenOn);
    app.TearDown();
    return happened;
  }

  const Outputs expected_{{{4, 6}, ReferenceOutputs(4, 6)}, {{9, 5}, ReferenceOutputs(9, 5)}};
};

TEST_P(OutOfMemory, LeavesWhatCanBeUsedAgain) {
  for (const FailingMemory::Mode mode : {FailingMemory::kOnce, FailingMemory::kFromThenOn}) {
    int first = 0;
    while (FailAt(first, mode) && !HasFailure()) ++first;
    EXPECT_GT(first, 300);  // or the allocations were not counted
  }
}

// Where an allocation of the cpu backend fails, once, the reference backend runs, and the report will say why.
TEST(BackendsOutOfMemory, TheReferenceRunsWhatTheCpuHasNoMemoryFor) {
  GraphBuilder b;
  const Graph graph = b.Finish({b.Op(OpType::kUnary, {b.Input({1, 4, 4, 3})}, UnaryParams{})});
  Options options;
  options.backend = BackendChoice::kCpu;
  options.verbosity = 0;
  int replaced = 0;
  bool failed = true;
  for (int first = 0; failed; ++first) {
    Backends backends(options, std::make_unique<BackendFactory>());
    Result<Compiled> compiled = Status::Ok();
    {
      const FailingMemory fails(first, FailingMemory::kOnce);
      const WhoseCall mark(true);
      const Status status = Guard([&] {
        compiled = backends.Compile(graph, 2);
        return compiled.status();
      });
      failed = fails.happened();
      if (!status.ok()) continue;
    }
    if (compiled->backend != BackendChoice::kReference) continue;
    EXPECT_EQ(compiled->reason, "the cpu backend runs out of memory, the reference backend runs instead");
    ++replaced;
  }
  EXPECT_GT(replaced, 20);
}

INSTANTIATE_TEST_SUITE_P(Backends, OutOfMemory, testing::Values("cpu", "reference", "opencl"));

}  // namespace
}  // namespace mcpruner
