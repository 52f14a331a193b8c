#include "delegate/tflite/parse/sparse_options.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

constexpr uint32_t kOptionsVersion = 1;

Status BadValue(const char* field, int value) {
  return Status::Error("its options have " + std::string(field) + " = " + std::to_string(value) +
                       ", which this delegate does not know; convert the model again");
}

Status ReadPadding(const format::SparseOptions& in, SparseOptions* out) {
  switch (in.padding()) {
    case format::Padding_Same:
      out->same_padding = true;
      return Status::Ok();
    case format::Padding_Valid:
      return Status::Ok();
    case format::Padding_Explicit:
      out->window.padding = {in.pad_top(), in.pad_bottom(), in.pad_left(), in.pad_right()};
      return Status::Ok();
  }
  return BadValue("padding", static_cast<int>(in.padding()));
}

Status ReadActivation(const format::SparseOptions& in, SparseOptions* out) {
  switch (in.fused_activation()) {
    case format::Activation_None:
      out->activation = Activation::kNone;
      return Status::Ok();
    case format::Activation_Relu:
      out->activation = Activation::kRelu;
      return Status::Ok();
    case format::Activation_ReluN1To1:
      out->activation = Activation::kReluN1To1;
      return Status::Ok();
    case format::Activation_Relu6:
      out->activation = Activation::kRelu6;
      return Status::Ok();
  }
  return BadValue("fused_activation", static_cast<int>(in.fused_activation()));
}

}  // namespace

Result<SparseOptions> ReadSparseOptions(Span<const uint8_t> bytes) {
  // An aligned copy is read: a file may place the options anywhere, and flatbuffers reads scalars in place.
  std::vector<uint64_t> words((bytes.size() + 7) / 8);
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(words.data()), bytes.size());
  if (bytes.empty() || !verifier.VerifyBuffer<format::SparseOptions>(nullptr)) {
    return Status::Error("its options (" + std::to_string(bytes.size()) +
                         " bytes) are no SparseOptions flatbuffer; the file is damaged, convert the model again");
  }
  const auto& in = *flatbuffers::GetRoot<format::SparseOptions>(words.data());
  if (in.version() != kOptionsVersion) {
    return Status::Error("its options have version " + std::to_string(in.version()) +
                         ", this delegate reads version 1; use the delegate that came with the converter");
  }
  SparseOptions out;
  out.window.stride_h = in.stride_h();
  out.window.stride_w = in.stride_w();
  out.window.dilation_h = in.dilation_h_factor();
  out.window.dilation_w = in.dilation_w_factor();
  if (in.stride_h() < 1 || in.stride_w() < 1) return BadValue("stride", 0);
  if (in.dilation_h_factor() < 1 || in.dilation_w_factor() < 1) return BadValue("dilation factor", 0);
  out.keep_num_dims = in.keep_num_dims();
  if (in.output_height() > INT32_MAX || in.output_width() > INT32_MAX) return BadValue("output size", -1);
  out.output_height = static_cast<int>(in.output_height());
  out.output_width = static_cast<int>(in.output_width());
  out.groups = std::max(1, static_cast<int>(in.groups()));
  MCPRUNER_RETURN_IF_ERROR(ReadPadding(in, &out));
  MCPRUNER_RETURN_IF_ERROR(ReadActivation(in, &out));
  return out;
}

}  // namespace mcpruner
