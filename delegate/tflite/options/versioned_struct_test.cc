#include "delegate/tflite/options/versioned_struct.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace mcpruner {
namespace {

// These are two versions of one struct.
struct First {
  size_t struct_size;
  int64_t threads;
};
struct Second {
  size_t struct_size;
  int64_t threads;
  int64_t priority;
};
constexpr Second kDefaults{sizeof(Second), 1, 7};

template <typename Library, typename Caller>
Result<Library> Read(const Caller& caller, const Library& defaults) {
  return ReadVersionedStruct(&caller, sizeof(First), defaults);
}

TEST(VersionedStructTest, OfTheSameVersionIsTakenAsItIs) {
  const auto read = Read<Second>(Second{sizeof(Second), 4, 9}, kDefaults);
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(read->threads, 4);
  EXPECT_EQ(read->priority, 9);
}

TEST(VersionedStructTest, WhatAnOlderCallerDoesNotKnowKeepsItsDefault) {
  const auto read = Read<Second>(First{sizeof(First), 4}, kDefaults);
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(read->threads, 4);
  EXPECT_EQ(read->priority, 7);
  EXPECT_EQ(read->struct_size, sizeof(Second));
}

TEST(VersionedStructTest, WhatAnOlderLibraryDoesNotKnowMustBeZero) {
  const auto read = Read<First>(Second{sizeof(Second), 4, 0}, First{sizeof(First), 1});
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(read->threads, 4);
  EXPECT_EQ(Read<First>(Second{sizeof(Second), 4, 9}, First{sizeof(First), 1}).message(),
            "option struct_size: expected zeros behind the 16 bytes that this library knows, got an option of a newer "
            "one in a struct of 24 bytes; leave it out, or load a library as new as the header");
}

TEST(VersionedStructTest, AnySizeFromTheFirstVersionToTheLargestIsTaken) {
  char bytes[kLargestStruct] = {};
  for (const size_t size : {sizeof(First), sizeof(Second) - 1, sizeof(Second) + 1, kLargestStruct}) {
    const Second filled{size, 4, 0};
    std::memcpy(bytes, &filled, sizeof filled);
    const auto read = Read<Second>(bytes, kDefaults);
    ASSERT_TRUE(read.ok()) << read.message();
    EXPECT_EQ(read->threads, 4);
    EXPECT_EQ(read->priority, size == sizeof(First) ? 7 : 0);
    EXPECT_EQ(read->struct_size, sizeof(Second));
  }
}

TEST(VersionedStructTest, SizesBelowTheFirstVersionOrAboveTheLargestAreRefused) {
  for (const size_t size : {size_t{0}, sizeof(First) - 1, kLargestStruct + 1, SIZE_MAX}) {
    EXPECT_EQ(Read<Second>(Second{size, 4, 9}, kDefaults).message(),
              "option struct_size: expected the size of the struct, 16 to 4096 bytes, got " + std::to_string(size) +
                  "; fill it by McprunerDelegateOptionsDefault");
  }
}

}  // namespace
}  // namespace mcpruner
