#include <gtest/gtest.h>

#include <string>

#include "delegate/tflite/abi/tflite_abi.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                              void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
}

namespace {

thread_local std::string create_error;

// Returns the error, or nothing where a delegate is made.
std::string Create(const char* const* keys, const char* const* values, size_t count) {
  create_error.clear();
  TfLiteDelegate* const delegate =
      tflite_plugin_create_delegate(keys, values, count, [](const char* text) { create_error = text; });
  EXPECT_EQ(delegate == nullptr, !create_error.empty());
  if (delegate != nullptr) tflite_plugin_destroy_delegate(delegate);
  return create_error;
}

TEST(FaultsPluginTest, TakesFaultBesideTheOptionsOfThePlugin) {
  const char* const keys[] = {"num_threads", "fault", "backend"};
  const char* const values[] = {"2", "none", "reference"};
  EXPECT_EQ(Create(keys, values, 3), "");
}

TEST(FaultsPluginTest, NamesAndValuesThatAreNullAreErrors) {
  constexpr char kNoName[] = "mcpruner: option 0 has no name or no value. ";
  const char* const keys[] = {"fault", nullptr, "fault"};
  const char* const values[] = {"none", "2", nullptr};
  EXPECT_EQ(Create(keys, values, 2), kNoName);  // counted without `fault`
  EXPECT_EQ(Create(keys + 2, values + 2, 1), kNoName);
  EXPECT_EQ(Create(nullptr, values, 1), kNoName);
  EXPECT_EQ(Create(keys, nullptr, 1), kNoName);
}

}  // namespace
