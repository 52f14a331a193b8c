#include "delegate/tflite/parse/sparse_options.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

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

TEST(SparseOptions, DamagedBytesAreRefusedOrRead) {
  Fields in;
  in.padding = format::Padding_Explicit;
  in.pad_left = 3;
  const std::vector<uint8_t> good = Write(in);
  EXPECT_TRUE(Has(ReadSparseOptions({}).message(), "its options (0 bytes) are no SparseOptions flatbuffer"));
  for (size_t size = 1; size < good.size(); ++size) {
    const std::vector<uint8_t> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    (void)ReadSparseOptions(cut);
  }
  std::mt19937 random(20261122);
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint8_t> bad = good;
    bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    const Result<SparseOptions> out = ReadSparseOptions(bad);
    if (out.ok()) {
      EXPECT_GE(out->window.stride_h, 1);
      EXPECT_GE(out->window.dilation_w, 1);
    } else {
      EXPECT_FALSE(out.message().empty());
    }
  }
}

}  // namespace
}  // namespace mcpruner
