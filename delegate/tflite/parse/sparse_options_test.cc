#include "delegate/tflite/parse/sparse_options.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "flatbuffers/flexbuffers.h"
#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

// Fields are the table's fields with the values of a usual layer.
struct Fields {
  uint32_t version = 1;
  format::Padding padding = format::Padding_Same;
  uint8_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  uint8_t stride_h = 1, stride_w = 1;
  uint8_t dilation_h_factor = 1, dilation_w_factor = 1;
  format::Activation fused_activation = format::Activation_None;
  bool keep_num_dims = false;
  uint32_t output_height = 0, output_width = 0;
};

std::vector<uint8_t> Write(const Fields& f) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::CreateSparseOptions(builder, f.version, f.padding, f.pad_top, f.pad_bottom, f.pad_left,
                                             f.pad_right, f.stride_h, f.stride_w, f.dilation_h_factor,
                                             f.dilation_w_factor, f.fused_activation, f.keep_num_dims, /*groups=*/1,
                                             f.output_height, f.output_width));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SparseOptions, EveryFieldIsRead) {
  Fields in;
  in.padding = format::Padding_Explicit;
  in.pad_top = 1;
  in.pad_bottom = 2;
  in.pad_left = 3;
  in.pad_right = 255;
  in.stride_h = 2;
  in.stride_w = 3;
  in.dilation_h_factor = 4;
  in.dilation_w_factor = 5;
  in.fused_activation = format::Activation_Relu6;
  in.keep_num_dims = true;
  in.output_height = 70000;
  in.output_width = 6;
  const std::vector<uint8_t> bytes = Write(in);
  const Result<SparseOptions> out = ReadSparseOptions(bytes);
  ASSERT_TRUE(out.ok()) << out.message();
  EXPECT_FALSE(out->same_padding);
  EXPECT_EQ(out->window.padding.top, 1);
  EXPECT_EQ(out->window.padding.bottom, 2);
  EXPECT_EQ(out->window.padding.left, 3);
  EXPECT_EQ(out->window.padding.right, 255);
  EXPECT_EQ(out->window.stride_h, 2);
  EXPECT_EQ(out->window.stride_w, 3);
  EXPECT_EQ(out->window.dilation_h, 4);
  EXPECT_EQ(out->window.dilation_w, 5);
  EXPECT_EQ(out->activation, Activation::kRelu6);
  EXPECT_EQ(out->output_height, 70000);
  EXPECT_EQ(out->output_width, 6);
  EXPECT_TRUE(out->keep_num_dims);
}

// A map as the converter writes it, with one more field, or one of a usual layer's other than there.
template <typename Add>
std::vector<uint8_t> Map(const Add& add, int version = 1) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    builder.Int("version", version);
    add(&builder);
  });
  builder.Finish();
  return builder.GetBuffer();
}

TEST(SparseOptions, MapsAreRead) {
  const Result<SparseOptions> out = ReadSparseOptions(Map([](flexbuffers::Builder* in) {
    in->String("padding", "Explicit");
    in->Int("pad_top", 1);
    in->Int("pad_bottom", 2);
    in->Int("pad_left", 3);
    in->UInt("pad_right", 255);
    in->Int("stride_h", 2);
    in->Int("stride_w", 3);
    in->Int("dilation_h_factor", 4);
    in->Int("dilation_w_factor", 5);
    in->String("fused_activation", "ReluN1To1");
    in->Bool("keep_num_dims", true);
    in->Int("groups", 6);
    in->Int("output_height", 70000);
    in->Int("output_width", 7);
    in->Double("density", 0.178);
    in->String("value_type", "float16");
  }));
  ASSERT_TRUE(out.ok()) << out.message();
  EXPECT_FALSE(out->same_padding);
  EXPECT_EQ(out->window.padding.top, 1);
  EXPECT_EQ(out->window.padding.bottom, 2);
  EXPECT_EQ(out->window.padding.left, 3);
  EXPECT_EQ(out->window.padding.right, 255);
  EXPECT_EQ(out->window.stride_h, 2);
  EXPECT_EQ(out->window.stride_w, 3);
  EXPECT_EQ(out->window.dilation_h, 4);
  EXPECT_EQ(out->window.dilation_w, 5);
  EXPECT_EQ(out->activation, Activation::kReluN1To1);
  EXPECT_TRUE(out->keep_num_dims);
  EXPECT_EQ(out->groups, 6);
  EXPECT_EQ(out->output_height, 70000);
  EXPECT_EQ(out->output_width, 7);
}

TEST(SparseOptions, WhatAMapHasNotIsTheDefault) {
  const Result<SparseOptions> map = ReadSparseOptions(Map([](flexbuffers::Builder*) {}));
  ASSERT_TRUE(map.ok()) << map.message();
  EXPECT_TRUE(map->same_padding);
  EXPECT_EQ(map->window.stride_h, 1);
  EXPECT_EQ(map->window.dilation_w, 1);
  EXPECT_EQ(map->activation, Activation::kNone);
  EXPECT_FALSE(map->keep_num_dims);
  EXPECT_EQ(map->groups, 1);
}

TEST(SparseOptions, FieldsOfAMapThatDoNotFitAreRefused) {
  const auto message = [](auto add) { return ReadSparseOptions(Map(add)).message(); };
  using Builder = flexbuffers::Builder;
  EXPECT_TRUE(Has(message([](Builder* in) { in->Int("stride_h", 256); }), "stride_h = 256, which this delegate"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->Int("stride_w", -1); }), "stride_w = -1"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->UInt("groups", uint64_t{1} << 63); }), "groups = 9223372036854775808"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->Double("pad_top", 1.0); }), "pad_top = no whole number"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->String("padding", "Some"); }), "padding = Some"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->Int("padding", 1); }), "padding = no text"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->String("fused_activation", ""); }), "fused_activation = ,"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->Int("keep_num_dims", 1); }), "keep_num_dims = neither true nor false"));
  EXPECT_TRUE(Has(message([](Builder* in) { in->Int("dilation_h_factor", 0); }), "dilation factor = 0"));
  EXPECT_TRUE(Has(ReadSparseOptions(Map([](Builder*) {}, 2)).message(), "its options have version 2"));
  flexbuffers::Builder number;
  number.Int(7);
  number.Finish();
  EXPECT_TRUE(Has(ReadSparseOptions(number.GetBuffer()).message(), "are neither a FlexBuffers map nor"));
}

TEST(SparseOptions, PaddingsOtherThanExplicitIgnorePads) {
  Fields in;
  in.pad_top = 9;
  const Result<SparseOptions> same = ReadSparseOptions(Write(in));
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->same_padding);
  EXPECT_EQ(same->window.padding.top, 0);
  in.padding = format::Padding_Valid;
  EXPECT_FALSE(ReadSparseOptions(Write(in))->same_padding);
}

TEST(SparseOptions, OtherVersionsAndValuesAreRefused) {
  Fields in;
  in.version = 2;
  EXPECT_EQ(ReadSparseOptions(Write(in)).message(),
            "its options have version 2, this delegate reads version 1; use the delegate that came with the converter");
  in = Fields();
  in.padding = static_cast<format::Padding>(3);
  EXPECT_TRUE(Has(ReadSparseOptions(Write(in)).message(), "padding = 3, which this delegate does not know"));
  in = Fields();
  in.fused_activation = static_cast<format::Activation>(77);
  EXPECT_TRUE(Has(ReadSparseOptions(Write(in)).message(), "fused_activation = 77"));
  in = Fields();
  in.stride_w = 0;
  EXPECT_TRUE(Has(ReadSparseOptions(Write(in)).message(), "stride = 0"));
  in = Fields();
  in.output_width = uint32_t{1} << 31;
  EXPECT_TRUE(Has(ReadSparseOptions(Write(in)).message(), "output size"));
  in = Fields();
  in.dilation_h_factor = 0;
  EXPECT_TRUE(Has(ReadSparseOptions(Write(in)).message(), "dilation factor = 0"));
}

void DamageAll(const std::vector<uint8_t>& good) {
  for (size_t size = 1; size < good.size(); ++size) {
    const std::vector<uint8_t> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    (void)ReadSparseOptions(cut);
  }
  std::mt19937 random(20261122);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bad = good;
    for (uint32_t flips = 1 + random() % 3; flips > 0; --flips) {
      bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    }
    const Result<SparseOptions> out = ReadSparseOptions(bad);
    if (out.ok()) {
      EXPECT_GE(out->window.stride_h, 1);
      EXPECT_GE(out->window.dilation_w, 1);
    } else {
      EXPECT_FALSE(out.message().empty());
    }
  }
}

TEST(SparseOptions, DamagedBytesAreRefusedOrRead) {
  Fields in;
  in.padding = format::Padding_Explicit;
  in.pad_left = 3;
  DamageAll(Write(in));
  DamageAll(Map([](flexbuffers::Builder* map) {
    map->String("padding", "Explicit");
    map->Int("pad_left", 3);
    map->Int("output_height", 70000);
    map->Double("density", 0.178);
    map->Bool("keep_num_dims", true);
  }));
  EXPECT_TRUE(Has(ReadSparseOptions({}).message(),
                  "its options (0 bytes) are neither a FlexBuffers map nor a SparseOptions flatbuffer"));
}

}  // namespace
}  // namespace mcpruner
