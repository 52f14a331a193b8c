#include "delegate/tflite/options/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "delegate/cpu/cpu_backend.h"

namespace mcpruner {
namespace {

using Strings = std::vector<const char*>;

Result<Options> Parse(const Strings& keys, const Strings& values) {
  return ParseOptions(keys.data(), values.data(), keys.size());
}

std::string ErrorOf(const char* key, const char* value) { return Parse({key}, {value}).message(); }

TEST(Options, AbsentOnesHaveDefaults) {
  const Result<Options> options = ParseOptions(nullptr, nullptr, 0);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->num_threads, 0);
  EXPECT_EQ(options->backend, BackendChoice::kAuto);
  EXPECT_EQ(options->verbosity, 1);
  EXPECT_TRUE(options->packs_at_load);
  EXPECT_FALSE(options->poison_memory.has_value());
}

TEST(Options, EachIsParsed) {
  const Result<Options> options = Parse({"num_threads", "backend", "verbosity"}, {"64", "reference", "2"});
  ASSERT_TRUE(options.ok()) << options.message();
  EXPECT_EQ(options->num_threads, 64);
  EXPECT_EQ(options->backend, BackendChoice::kReference);
  EXPECT_EQ(options->verbosity, 2);
  const Result<Options> device = Parse({"precision", "opencl_library"}, {"float16_storage", "libmine.so"});
  ASSERT_TRUE(device.ok()) << device.message();
  EXPECT_EQ(device->precision, Precision::kFloat16Storage);
  EXPECT_EQ(device->opencl_library, "libmine.so");
  EXPECT_EQ(Parse({"cache_dir"}, {"/tmp"})->cache_dir, "/tmp");
  EXPECT_TRUE(Parse({"pack"}, {"auto"})->packs_at_load);
  EXPECT_FALSE(Parse({"pack"}, {"never"})->packs_at_load);
  EXPECT_EQ(ErrorOf("pack", "yes"), "option pack: expected one of auto, never, got 'yes'");
  EXPECT_EQ(Parse({"cache_dir"}, {"/no/such"}).message(),
            "option cache_dir: expected an existing folder that can be written to, got '/no/such'");
}

TEST(Options, PoisonIsAnyNumber) {
  EXPECT_EQ(*Parse({"poison_memory"}, {"1e30"})->poison_memory, 1e30f);
  EXPECT_TRUE(std::isnan(*Parse({"poison_memory"}, {"nan"})->poison_memory));
  EXPECT_EQ(*Parse({"poison_memory"}, {"-inf"})->poison_memory, -INFINITY);
  for (const char* text : {"", "yes", "1e30 ", " 1e30", "+1"}) {
    EXPECT_EQ(ErrorOf("poison_memory", text),
              "option poison_memory: expected a number such as nan or 1e30, got '" + std::string(text) + "'");
  }
}

TEST(Options, BackendsHaveNames) {
  EXPECT_EQ(Parse({"backend"}, {"auto"})->backend, BackendChoice::kAuto);
  EXPECT_EQ(Parse({"backend"}, {"cpu"})->backend, BackendChoice::kCpu);
  EXPECT_EQ(Parse({"backend"}, {"opencl"})->backend, BackendChoice::kOpenCl);
  EXPECT_STREQ(BackendName(BackendChoice::kAuto), "auto");
  EXPECT_STREQ(BackendName(BackendChoice::kReference), "reference");
}

TEST(Options, InstructionSetsAreThoseOfTheCpu) {
  EXPECT_EQ(ParseOptions(nullptr, nullptr, 0)->simd, "");
  for (const std::string& target : CpuSimdTargets()) EXPECT_EQ(Parse({"simd"}, {target.c_str()})->simd, target);
  const std::string error = ErrorOf("simd", "avx9");
  EXPECT_EQ(error.substr(0, 29), "option simd: expected one of ");
  EXPECT_NE(error.find("scalar (what this CPU has), got 'avx9'"), std::string::npos) << error;
  const std::string empty = ErrorOf("simd", "");
  EXPECT_EQ(empty, error.substr(0, error.size() - std::string("'avx9'").size()) + "''");
}

TEST(Options, CostsAreThoseOfTheInstructionSetOrOfAFile) {
  EXPECT_EQ(Parse({"simd"}, {"scalar"})->costs.name, "avx2");
  EXPECT_EQ(CheckOptions(nullptr)->costs.simd->name, ParseOptions(nullptr, nullptr, 0)->costs.simd->name);
  EXPECT_EQ(ErrorOf("costs", "/no/such"),
            "option costs: expected a file that `mcpruner calibrate` wrote, got '/no/such': it is no file");
}

TEST(Options, ErrorsListWhatIsValid) {
  EXPECT_EQ(ErrorOf("threads", "2"),
            "there is no option 'threads'; the options are num_threads, backend, verbosity, simd, "
            "precision, opencl_library, cache_dir, tune, poison_memory, costs, pack");
  EXPECT_EQ(ErrorOf("backend", "gpu"), "option backend: expected one of auto, cpu, opencl, reference, got 'gpu'");
  EXPECT_EQ(ErrorOf("precision", "int8"),
            "option precision: expected one of float32, float16_storage, float16, got 'int8'");
  EXPECT_EQ(ErrorOf("tune", "1"),
            "option tune: expected 0, or 1 beside a cache_dir that keeps what is measured, got 1 and no cache_dir");
  EXPECT_EQ(Parse({"cache_dir", "tune"}, {"/tmp", "2"}).message(),
            "option tune: expected 0, or 1 beside a cache_dir that keeps what is measured, got 2");
  EXPECT_EQ(ErrorOf("opencl_library", ""), "option opencl_library: expected a path or a name, got ''");
  EXPECT_EQ(ErrorOf("verbosity", "3"), "option verbosity: expected 0, 1 or 2, got 3");
  EXPECT_EQ(ErrorOf("verbosity", "-1"), "option verbosity: expected 0, 1 or 2, got -1");
}

TEST(Options, ThreadsAreThoseOfTheOptionOrOfTheRuntime) {
  Options options;
  EXPECT_EQ(NumThreads(options, 3), 3);
  EXPECT_EQ(NumThreads(options, -1), 1);  // it recommends none
  EXPECT_EQ(NumThreads(options, 1000), 64);
  options.num_threads = 2;
  EXPECT_EQ(NumThreads(options, 3), 2);
}

TEST(Options, NumbersAreWhole) {
  for (const char* text : {"", "2x", "1.5", "two", " 3", "3 ", "+2", "-", "--2", "99999999999", "4294967297"}) {
    EXPECT_EQ(ErrorOf("num_threads", text),
              "option num_threads: expected a whole number, got '" + std::string(text) + "'");
  }
  for (const char* text : {"-1", "65"}) {
    EXPECT_EQ(ErrorOf("num_threads", text),
              "option num_threads: expected 1 to 64, or 0 for what the runtime recommends, got " + std::string(text));
  }
}

TEST(Options, NullsAreErrors) {
  EXPECT_EQ(ErrorOf(nullptr, "1"), "option 0 has no name or no value");
  EXPECT_EQ(ErrorOf("backend", nullptr), "option 0 has no name or no value");
  EXPECT_EQ(ParseOptions(nullptr, nullptr, 1).message(), "option 0 has no name or no value");
}

}  // namespace
}  // namespace mcpruner
