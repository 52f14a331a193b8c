// These tests run the delegate through its C API in a fake runtime: partition, kernels, resizing, failures, report and
// profile.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/mcpruner_delegate.h"
#include "delegate/tflite/testing/fake_model.h"
#include "delegate/tflite/testing/test_delegate.h"

namespace mcpruner {
namespace {

std::string Report(const DelegatePtr& delegate) {
  std::string text(McprunerDelegateReportJson(delegate.get(), nullptr, 0), '\0');
  EXPECT_EQ(McprunerDelegateReportJson(delegate.get(), text.data(), text.size()), text.size());
  text.resize(text.size() - 1);
  return text;
}

std::string Profile(const DelegatePtr& delegate) {
  std::string text(McprunerDelegateProfileJson(delegate.get(), nullptr, 0), '\0');
  McprunerDelegateProfileJson(delegate.get(), text.data(), text.size());
  return text;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The model is x [1, 2, 2, 1] -> CONV_2D 1x1 with weight 3 and bias 1 -> y.
class OneConv {
 public:
  OneConv() {
    x = model.Input("x", {1, 2, 2, 1});
    y = model.Tensor("y", {1, 2, 2, 1});
    model.Node(kTfLiteBuiltinConv2d, {x, model.Constant("w", {1, 1, 1, 1}, {3}), model.Constant("b", {1}, {1})}, {y},
               &params);
    model.Output(y);
  }
  TfLiteConvParams params = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  FakeModel model;
  int x, y;
};

TEST(Delegate, RunsAConvolution) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 1u);
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  for (int i = 0; i < 4; ++i) m.model.Data(m.x)[i] = static_cast<float>(i);
  ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
  const std::vector<float> y(m.model.Data(m.y), m.model.Data(m.y) + 4);
  EXPECT_EQ(y, (std::vector<float>{1, 4, 7, 10}));
  EXPECT_EQ(m.model.errors(), "");
}

TEST(Delegate, RunsOnPoisonedMemory) {
  for (const char* backend : {"cpu", "reference"}) {
    McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
    options.verbosity = 0;
    options.backend = backend;
    options.poison_memory = "nan";
    const DelegatePtr delegate(McprunerDelegateCreate(&options));
    OneConv m;
    ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
    ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
    for (int run = 0; run < 2; ++run) {
      for (int i = 0; i < 4; ++i) m.model.Data(m.x)[i] = static_cast<float>(i + run);
      ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
      for (int i = 0; i < 4; ++i) EXPECT_EQ(m.model.Data(m.y)[i], static_cast<float>(3 * (i + run) + 1));
    }
  }
}

TEST(Delegate, FollowsAResizeWithAndWithoutReapplying) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  m.model.Resize(m.x, {3, 5, 1, 1});
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  EXPECT_EQ(m.model.DimsOf(m.y), (Dims{3, 5, 1, 1}));
  ASSERT_EQ(m.model.Reapply(delegate.get()), kTfLiteOk);
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  m.model.Data(m.x)[14] = 2;
  ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
  EXPECT_EQ(m.model.Data(m.y)[14], 7);
}

TEST(Delegate, ToleratesDimensionsOfZero) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  m.model.Resize(m.x, {0, 2, 2, 1});
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  EXPECT_EQ(m.model.DimsOf(m.y), (Dims{0, 2, 2, 1}));
  m.model.At(m.x).data = nullptr;
  m.model.At(m.y).data = nullptr;
  EXPECT_EQ(m.model.Invoke(), kTfLiteOk);
}

TEST(Delegate, RefusesAnotherRank) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  m.model.Resize(m.x, {2, 2, 1});
  EXPECT_EQ(m.model.Allocate(), kTfLiteError);
  EXPECT_TRUE(Has(m.model.errors(), "expected an input of 4 dimensions, got 3")) << m.model.errors();
}

TEST(Delegate, RefusesToRunOnMissingOrShortData) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  m.model.Resize(m.x, {1, 1, 1, 1});
  EXPECT_EQ(m.model.Invoke(), kTfLiteError);
  EXPECT_TRUE(Has(m.model.errors(), "tensor 'x' has 4 bytes of data, expected 16; call AllocateTensors"));
  m.model.Resize(m.x, {1, 2, 2, 1});
  m.model.At(m.y).data = nullptr;
  EXPECT_EQ(m.model.Invoke(), kTfLiteError);
  EXPECT_TRUE(Has(m.model.errors(), "tensor 'y' has 0 bytes of data, expected 16"));
}

TEST(Delegate, LeavesNodesWithAReasonEach) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  const int sine = m.model.Tensor("sine", {1, 2, 2, 1}), relu = m.model.Tensor("relu", {1, 2, 2, 1});
  m.model.Node(66, {m.y}, {sine});
  m.model.Node(kTfLiteBuiltinRelu, {sine}, {relu});
  m.model.Output(relu);
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 1u);
  const std::string report = Report(delegate);
  EXPECT_TRUE(Has(report, R"("node":0,"name":"y","op":"CONV_2D","taken":true,"partition":0)")) << report;
  EXPECT_TRUE(Has(report, R"("op":"SIN","taken":false,"partition":-1,"backend":"",)"
                          R"("reason":"the delegate does not run SIN")"))
      << report;
  EXPECT_TRUE(Has(report, R"("name":"relu","op":"RELU","taken":false,"partition":-1,"backend":"",)"
                          R"("reason":"no convolution or fully-connected layer stands beside it)"))
      << report;
}

// tflite-runtime 2.14 applies all delegates again after a resize; a tensor keeps the one that made it before.
TEST(Delegate, LeavesWhatAnotherDelegateHadTaken) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  TfLiteDelegate other = {};
  OneConv m;
  m.model.At(m.y).delegate = &other;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 0u);
  EXPECT_TRUE(Has(Report(delegate), R"("reason":"another delegate has taken it")")) << Report(delegate);
  m.model.At(m.y).delegate = delegate.get();
  ASSERT_EQ(m.model.Reapply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 1u);
}

TEST(Delegate, AutoLeavesDenseModelsAndCpuTakesThem) {
  const DelegatePtr automatic = MakeTestDelegate("auto"), cpu = MakeTestDelegate("cpu");
  OneConv left, taken;
  ASSERT_EQ(left.model.Apply(automatic.get()), kTfLiteOk);
  ASSERT_EQ(taken.model.Apply(cpu.get()), kTfLiteOk);
  EXPECT_EQ(left.model.num_kernels(), 0u);
  EXPECT_EQ(taken.model.num_kernels(), 1u);
  EXPECT_TRUE(Has(Report(automatic), R"("op":"CONV_2D","taken":false,"partition":-1,"backend":"",)"
                                     R"("reason":"no layer of its partition is packed, and TFLite runs dense)"))
      << Report(automatic);
}

TEST(Delegate, AutoTakesThePartitionsOfPackedLayersOnly) {
  const DelegatePtr delegate = MakeTestDelegate("auto");
  OneConv m;
  const int packed = m.model.Tensor("packed", {1, 2, 2, 1}), sine = m.model.Tensor("sine", {1, 2, 2, 1});
  const int relu = m.model.Tensor("relu", {1, 2, 2, 1}), conv = m.model.Tensor("conv", {1, 2, 2, 1});
  m.model.CustomNode("McprunerSparseConv2D", {m.y, m.model.Constant("blob", {1}, {1})}, {packed}, {});
  m.model.Node(66, {packed}, {sine});
  m.model.Node(kTfLiteBuiltinRelu, {sine}, {relu});
  m.model.Node(kTfLiteBuiltinConv2d, {relu, m.model.Constant("v", {1, 1, 1, 1}, {2}), m.model.Constant("c", {1}, {1})},
               {conv}, &m.params);
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(m.model.num_kernels(), 1u);
  const std::string report = Report(delegate);
  EXPECT_TRUE(Has(report, R"("node":0,"name":"y","op":"CONV_2D","taken":true)")) << report;
  EXPECT_TRUE(Has(report, R"("node":1,"name":"packed","op":"McprunerSparseConv2D","taken":true)")) << report;
  EXPECT_TRUE(Has(report, R"("node":3,"name":"relu","op":"RELU","taken":false)")) << report;
  EXPECT_TRUE(Has(report, R"("node":4,"name":"conv","op":"CONV_2D","taken":false)")) << report;
}

TEST(Delegate, TakesNothingWithoutAConvolutionEvenWithoutPreview) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  FakeModel model;
  const int x = model.Input("x", {1, 4}), y = model.Tensor("y", {1, 4});
  model.Node(kTfLiteBuiltinRelu, {x}, {y});
  model.Output(y);
  model.context()->PreviewDelegatePartitioning = nullptr;
  ASSERT_EQ(model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(model.num_kernels(), 0u);
}

TEST(Delegate, BadSparseOpIsTakenAndExplainedWhenPrepared) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  FakeModel model;
  const int x = model.Input("x", {1, 2, 2, 1}), y = model.Tensor("layer7", {1, 2, 2, 1});
  const int blob = model.Constant("blob", {3}, "abc", 3, kTfLiteUInt8);
  model.CustomNode("McprunerSparseConv2D", {x, blob}, {y}, {1, 2, 3});
  model.Output(y);
  ASSERT_EQ(model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(model.num_kernels(), 1u);
  EXPECT_EQ(model.Allocate(), kTfLiteError);
  EXPECT_TRUE(Has(model.errors(), "mcpruner: node 0 (McprunerSparseConv2D 'layer7'): its sparse layer cannot be read"))
      << model.errors();
  EXPECT_EQ(model.errors().substr(model.errors().size() - 2), ". ");
  EXPECT_EQ(model.Invoke(), kTfLiteError);
}

TEST(Delegate, FailuresOfTheCpuBackendFallBackToTheReference) {
  for (const char* fault : {"cpu_create", "cpu_compile"}) {
    const DelegatePtr delegate = MakeFaultyDelegate(fault, "cpu");
    OneConv m;
    ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
    ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
    EXPECT_EQ(m.model.Invoke(), kTfLiteOk);
    const std::string report = Report(delegate);
    EXPECT_TRUE(Has(report, R"("backend":"reference","reason":"the cpu backend )")) << report;
    EXPECT_TRUE(Has(report, fault)) << report;
  }
}

TEST(Delegate, ExceptionsBecomeSentences) {
  for (const char* backend : {"cpu", "reference"}) {
    const DelegatePtr allocate = MakeFaultyDelegate("allocate", backend);
    OneConv m;
    ASSERT_EQ(m.model.Apply(allocate.get()), kTfLiteOk);
    EXPECT_EQ(m.model.Allocate(), kTfLiteError);
    EXPECT_EQ(m.model.errors(), "mcpruner: out of memory; free some, or use a smaller batch. ");

    const DelegatePtr invoke = MakeFaultyDelegate("invoke", backend);
    OneConv n;
    ASSERT_EQ(n.model.Apply(invoke.get()), kTfLiteOk);
    ASSERT_EQ(n.model.Allocate(), kTfLiteOk);
    EXPECT_EQ(n.model.Invoke(), kTfLiteError);
    EXPECT_EQ(n.model.errors(), "mcpruner: internal error: fault injection: invoke. ");
  }
}

TEST(Delegate, ProfilesWhatRanSinceItWasSwitchedOn) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv m;
  ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
  McprunerDelegateSetProfiling(delegate.get(), 1);
  ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
  ASSERT_EQ(m.model.Invoke(), kTfLiteOk);
  const std::string profile = Profile(delegate);
  EXPECT_TRUE(Has(profile, R"("backend":"reference","name":"y","type":"Conv")")) << profile;
  EXPECT_TRUE(Has(profile, R"("input":[1,2,2,1],"output":[1,2,2,1],"density":1.000000,"macs":4,)")) << profile;
  EXPECT_TRUE(Has(profile, R"("runs":2)")) << profile;
}

TEST(Delegate, MayBeDeletedBeforeItsKernels) {
  OneConv m;
  {
    const DelegatePtr delegate = MakeTestDelegate("reference");
    ASSERT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
    ASSERT_EQ(m.model.Allocate(), kTfLiteOk);
  }
  EXPECT_EQ(m.model.Invoke(), kTfLiteOk);
}

TEST(Delegate, TwoModelsAreTwoSubgraphsOfTheReport) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  OneConv a, b;
  ASSERT_EQ(a.model.Apply(delegate.get()), kTfLiteOk);
  ASSERT_EQ(b.model.Apply(delegate.get()), kTfLiteOk);
  const std::string report = Report(delegate);
  EXPECT_TRUE(Has(report, R"({"subgraph":0,"node":0)")) << report;
  EXPECT_TRUE(Has(report, R"({"subgraph":1,"node":0,"name":"y","op":"CONV_2D","taken":true,"partition":1)")) << report;
}

TEST(CApi, JsonIsCutToTheBuffer) {
  const DelegatePtr delegate = MakeTestDelegate("reference");
  char buffer[8] = {'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'};
  EXPECT_EQ(McprunerDelegateProfileJson(delegate.get(), buffer, 2), 3u);  // "[]" and the zero
  EXPECT_STREQ(buffer, "[");
  EXPECT_EQ(buffer[2], 'x');
  EXPECT_EQ(McprunerDelegateProfileJson(delegate.get(), buffer, 0), 3u);
  EXPECT_EQ(McprunerDelegateProfileJson(nullptr, buffer, 8), 0u);
}

TEST(CApi, ForeignDelegatesAreLeftAlone) {
  TfLiteDelegate foreign = {};
  EXPECT_EQ(McprunerDelegateReportJson(&foreign, nullptr, 0), 0u);
  McprunerDelegateSetProfiling(&foreign, 1);
  McprunerDelegateDelete(&foreign);
  McprunerDelegateDelete(nullptr);
}

TEST(CApi, BadOptionsGiveNull) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  options.num_threads = 65;
  testing::internal::CaptureStderr();
  EXPECT_EQ(McprunerDelegateCreate(&options), nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "mcpruner: option num_threads: expected 1 to 64, or 0 for what the runtime recommends, got 65\n");
}

TEST(CApi, StructsSmallerThanTheFirstVersionOrLargerThanAnyGiveNull) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  EXPECT_EQ(options.struct_size, sizeof options);
  constexpr size_t kFirst = offsetof(McprunerDelegateOptions, costs);
  for (const size_t size : {size_t{0}, kFirst - 1, size_t{4097}}) {
    options.struct_size = size;
    testing::internal::CaptureStderr();
    EXPECT_EQ(McprunerDelegateCreate(&options), nullptr);
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "mcpruner: option struct_size: expected the size of the struct, " + std::to_string(kFirst) +
                  " to 4096 bytes, got " + std::to_string(size) + "; fill it by McprunerDelegateOptionsDefault\n");
  }
}

TEST(CApi, TheStructOfTheFirstVersionIsTaken) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  options.struct_size = offsetof(McprunerDelegateOptions, costs);
  options.costs = "/no/such";  // behind its end
  EXPECT_NE(DelegatePtr(McprunerDelegateCreate(&options)), nullptr);
}

TEST(CApi, TheStructOfANewerHeaderIsTakenWhereItsNewFieldsAreZero) {
  struct {
    McprunerDelegateOptions known = McprunerDelegateOptionsDefault();
    size_t unknown = 0;
  } newer;
  newer.known.struct_size = sizeof newer;
  newer.known.num_threads = 3;
  EXPECT_NE(DelegatePtr(McprunerDelegateCreate(&newer.known)), nullptr);
  newer.unknown = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(McprunerDelegateCreate(&newer.known), nullptr);
  EXPECT_TRUE(Has(testing::internal::GetCapturedStderr(), "mcpruner: option struct_size: expected zeros behind the "));
}

TEST(CApi, VerbosityDecidesWhatIsPrinted) {
  const auto printed = [](int verbosity) {
    McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
    options.verbosity = verbosity;
    options.backend = "reference";
    const DelegatePtr delegate(McprunerDelegateCreate(&options));
    OneConv m;
    const int z = m.model.Tensor("z", {1, 2, 2, 1});
    m.model.Node(66, {m.y}, {z});
    testing::internal::CaptureStderr();
    EXPECT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
    EXPECT_EQ(m.model.Reapply(delegate.get()), kTfLiteOk);
    return testing::internal::GetCapturedStderr();
  };
  const std::string summary = "mcpruner: takes 1 of 2 nodes in 1 partition, backend reference\n";
  EXPECT_EQ(printed(0), "");
  EXPECT_EQ(printed(1), summary);
  EXPECT_EQ(printed(2), summary + "mcpruner: leaves node 1 (SIN 'z') to TFLite: the delegate does not run SIN\n");
}

TEST(CApi, OneLineForEachReason) {
  McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
  const DelegatePtr delegate(McprunerDelegateCreate(&options));
  OneConv m;
  const int z = m.model.Tensor("z", {1, 2, 2, 1});
  m.model.Node(kTfLiteBuiltinConv2d, {m.y, m.model.Constant("v", {1, 1, 1, 1}, {2})}, {z}, &m.params);
  testing::internal::CaptureStderr();
  EXPECT_EQ(m.model.Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "mcpruner: takes 0 of 2 nodes in 0 partitions, backend auto\n"
      "mcpruner: leaves node 0 (CONV_2D 'y') and 1 more to TFLite: no layer of its partition is packed, and TFLite "
      "runs dense layers as fast (backend cpu takes it)\n");
}

}  // namespace
}  // namespace mcpruner
