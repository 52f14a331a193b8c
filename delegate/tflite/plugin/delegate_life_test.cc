// These tests have a delegate that outlives its interpreters, and one that is carried into a forked child.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "delegate/opencl/testing/agreement.h"
#include "delegate/tflite/mcpruner_delegate.h"
#include "delegate/tflite/testing/small_model.h"
#include "delegate/tflite/testing/test_delegate.h"

namespace mcpruner {
namespace {

std::string Report(const DelegatePtr& delegate) {
  std::string text(McprunerDelegateReportJson(delegate.get(), nullptr, 0), '\0');
  McprunerDelegateReportJson(delegate.get(), text.data(), text.size());
  text.resize(text.size() - 1);
  return text;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Counts the nodes that a report lists.
size_t CountNodes(const std::string& report) {
  size_t count = 0;
  for (size_t at = report.find("\"op\""); at != std::string::npos; at = report.find("\"op\"", at + 1)) ++count;
  return count;
}
constexpr size_t kNodes = 5;  // of a SmallModel

bool Runs(SmallModel* model, int height, int width) {
  return model->Allocate(height, width) == kTfLiteOk && model->Invoke() == kTfLiteOk &&
         Agree(model->Outputs(), ReferenceOutputs(height, width));
}

TEST(SharedDelegate, ForgetsModelsThatAreGone) {
  const DelegatePtr delegate = MakeTestDelegate("cpu", 1);
  SmallModel first, last;
  ASSERT_EQ(first.runtime().Apply(delegate.get()), kTfLiteOk);
  for (int i = 0; i < 40; ++i) {
    // Both lie on the heap, beside others, so that their contexts have addresses of their own.
    auto model = std::make_unique<SmallModel>(), other = std::make_unique<SmallModel>();
    ASSERT_EQ(model->runtime().Apply(delegate.get()), kTfLiteOk);
    ASSERT_EQ(other->runtime().Apply(delegate.get()), kTfLiteOk);
    ASSERT_TRUE(Runs(other.get(), 3, 4));
    ASSERT_LE(CountNodes(Report(delegate)), 5 * kNodes);  // alive are 3; 2 of the last round are not known to be gone
  }
  ASSERT_EQ(last.runtime().Apply(delegate.get()), kTfLiteOk);
  EXPECT_TRUE(Runs(&first, 4, 6));
  EXPECT_TRUE(Runs(&last, 4, 6));
  const std::string report = Report(delegate);
  EXPECT_EQ(CountNodes(report), 2 * kNodes);
  EXPECT_TRUE(Has(report, R"({"subgraph":0,"node":0)")) << report;
  EXPECT_TRUE(Has(report, R"({"subgraph":1,"node":0)")) << report;
}

TEST(SharedDelegate, KeepsAFewModelsThatHaveNoPartition) {
  const DelegatePtr delegate = MakeTestDelegate("auto");
  SmallModel taken;
  ASSERT_EQ(taken.runtime().Apply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(taken.runtime().num_kernels(), 1u);
  std::vector<std::unique_ptr<SmallModel>> dense;
  for (int i = 0; i < 50; ++i) {
    dense.push_back(std::make_unique<SmallModel>(false));
    ASSERT_EQ(dense.back()->runtime().Apply(delegate.get()), kTfLiteOk);
    EXPECT_EQ(dense.back()->runtime().num_kernels(), 0u);
    EXPECT_EQ(CountNodes(Report(delegate)), kNodes * std::min<size_t>(17, 2 + static_cast<size_t>(i)));
  }
  // A model that is applied again, as at a resize, takes no second place.
  ASSERT_EQ(dense.back()->runtime().Reapply(delegate.get()), kTfLiteOk);
  EXPECT_EQ(CountNodes(Report(delegate)), kNodes * 17);
  EXPECT_TRUE(Runs(&taken, 4, 6));
}

size_t CountThreads() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(threads), end(threads)));
}

// A thread that was joined stays in /proc until the kernel has cleared it away, on a busy machine for a while.
size_t CountThreadsDownTo(size_t expected) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (CountThreads() > expected && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return CountThreads();
}

TEST(SharedDelegate, EndsThreadsThatNoModelRunsOn) {
  const DelegatePtr delegate = MakeTestDelegate("cpu");
  SmallModel kept;
  kept.runtime().context()->recommended_num_threads = 3;
  ASSERT_EQ(kept.runtime().Apply(delegate.get()), kTfLiteOk);
  ASSERT_TRUE(Runs(&kept, 1, 4));
  const size_t alone = CountThreads();  // a sanitizer may have one of its own, once there are threads
  ASSERT_GE(alone, 3u);
  for (int num_threads = 2; num_threads <= 12; ++num_threads) {
    ASSERT_TRUE(Runs(&kept, num_threads, 4));
    EXPECT_TRUE(Has(Report(delegate), R"("num_threads":3)"));
    SmallModel model;
    model.runtime().context()->recommended_num_threads = num_threads;
    ASSERT_EQ(model.runtime().Apply(delegate.get()), kTfLiteOk);
    ASSERT_TRUE(Runs(&model, 5, 4));
    const size_t expected = alone + (num_threads == 3 ? 0 : static_cast<size_t>(num_threads) - 1);
    EXPECT_EQ(CountThreadsDownTo(expected), expected);
  }
}

TEST(SharedDelegate, FallsBackOnTheThreadsOfTheInterpreterThatFailed) {
  MCPRUNER_NEEDS_OPENCL();
  const DelegatePtr delegate = MakeFaultyDelegate("opencl_run", "opencl");
  SmallModel failing, other;
  failing.runtime().context()->recommended_num_threads = 2;
  other.runtime().context()->recommended_num_threads = 5;
  for (SmallModel* model : {&failing, &other}) {
    ASSERT_EQ(model->runtime().Apply(delegate.get()), kTfLiteOk);
    ASSERT_EQ(model->Allocate(4, 6), kTfLiteOk);
  }
  ASSERT_EQ(failing.Invoke(), kTfLiteOk);
  EXPECT_TRUE(Agree(failing.Outputs(), ReferenceOutputs(4, 6)));
  EXPECT_TRUE(Has(Report(delegate), R"("num_threads":2)")) << Report(delegate);
}

// The child makes an inference, resizes, and ends everything.
void CheckFork(std::chrono::milliseconds pause) {
  DelegatePtr delegate = MakeTestDelegate("cpu", 4);
  auto model = std::make_unique<SmallModel>();
  ASSERT_EQ(model->runtime().Apply(delegate.get()), kTfLiteOk);
  ASSERT_TRUE(Runs(model.get(), 4, 6));
  std::this_thread::sleep_for(pause);
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);  // what waits for threads that are not there would wait for ever
    const bool right =
        model->Invoke() == kTfLiteOk && Agree(model->Outputs(), ReferenceOutputs(4, 6)) && Runs(model.get(), 7, 5);
    model.reset();
    delegate.reset();
    const DelegatePtr own = MakeTestDelegate("cpu", 4);
    SmallModel anew;
    _exit(right && anew.runtime().Apply(own.get()) == kTfLiteOk && Runs(&anew, 4, 6) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Runs(model.get(), 4, 6));
}

TEST(ForkedChild, RunsAndDestroys) {
  if (std::getenv("MCPRUNER_EMULATED") != nullptr) GTEST_SKIP() << "qemu cannot start a thread in a forked child";
  CheckFork(std::chrono::milliseconds(0));   // workers spin
  CheckFork(std::chrono::milliseconds(20));  // workers sleep
}

}  // namespace
}  // namespace mcpruner
