// FlexBuffers can make numbers of texts, with functions of FlatBuffers' library for any locale. Nothing here does, and
// that library is not linked.
#define FLATBUFFERS_LOCALE_INDEPENDENT 0

#include "delegate/tflite/parse/sparse_options.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "flatbuffers/flexbuffers.h"
#include "format/sparse_pattern_generated.h"

namespace mcpruner {
namespace {

constexpr uint32_t kOptionsVersion = 1;

Status BadValue(const char* field, const std::string& value) {
  return Status::Error("its options have " + std::string(field) + " = " + value +
                       ", which this delegate does not know; convert the model again");
}

// Reads the fields of a FlexBuffers map that was verified. What is not there keeps its value.
class MapReader {
 public:
  explicit MapReader(flexbuffers::Map map) : map_(map) {}

  template <typename T>
  void Number(const char* name, T* out) {
    const flexbuffers::Reference field = map_[name];
    if (field.IsNull()) return;
    if (!field.IsIntOrUint()) return Fail(name, "no whole number");
    if (field.IsInt() && field.AsInt64() < 0) return Fail(name, std::to_string(field.AsInt64()));
    const uint64_t value = field.IsInt() ? static_cast<uint64_t>(field.AsInt64()) : field.AsUInt64();
    if (value > std::numeric_limits<T>::max()) return Fail(name, std::to_string(value));
    *out = static_cast<T>(value);
  }

  void Flag(const char* name, bool* out) {
    const flexbuffers::Reference field = map_[name];
    if (field.IsBool()) *out = field.AsBool();
    if (!field.IsBool() && !field.IsNull()) Fail(name, "neither true nor false");
  }

  // `names` are the texts that stand for the values of an enumeration from 0 on; the last one is null.
  template <typename T>
  void Name(const char* name, const char* const* names, T* out) {
    const flexbuffers::Reference field = map_[name];
    if (field.IsNull()) return;
    const std::string text = field.IsString() ? field.AsString().str() : "no text";
    for (int i = 0; field.IsString() && names[i] != nullptr; ++i) {
      if (text != names[i]) continue;
      *out = static_cast<T>(i);
      return;
    }
    // A message is text, whatever bytes the file has here.
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    Fail(name, printable ? text.substr(0, 40) : "bytes that are no name");
  }

  const Status& status() const { return status_; }

 private:
  void Fail(const char* name, const std::string& value) {
    if (status_.ok()) status_ = BadValue(name, value);
  }

  flexbuffers::Map map_;
  Status status_ = Status::Ok();
};

Result<format::SparseOptionsT> ReadMap(const flexbuffers::Map& map) {
  MapReader reader(map);
  format::SparseOptionsT out;
  reader.Number("version", &out.version);
  reader.Name("padding", format::EnumNamesPadding(), &out.padding);
  reader.Number("pad_top", &out.pad_top);
  reader.Number("pad_bottom", &out.pad_bottom);
  reader.Number("pad_left", &out.pad_left);
  reader.Number("pad_right", &out.pad_right);
  reader.Number("stride_h", &out.stride_h);
  reader.Number("stride_w", &out.stride_w);
  reader.Number("dilation_h_factor", &out.dilation_h_factor);
  reader.Number("dilation_w_factor", &out.dilation_w_factor);
  reader.Name("fused_activation", format::EnumNamesActivation(), &out.fused_activation);
  reader.Flag("keep_num_dims", &out.keep_num_dims);
  reader.Number("groups", &out.groups);
  reader.Number("output_height", &out.output_height);
  reader.Number("output_width", &out.output_width);
  MCPRUNER_RETURN_IF_ERROR(reader.status());
  return out;
}

Result<format::SparseOptionsT> ReadFields(const uint8_t* data, size_t size) {
  flatbuffers::Verifier verifier(data, size);
  if (size > 0 && verifier.VerifyBuffer<format::SparseOptions>(nullptr)) {
    format::SparseOptionsT out;
    flatbuffers::GetRoot<format::SparseOptions>(data)->UnPackTo(&out);
    return out;
  }
  // A map begins with the letters of a name, which as the place of a flatbuffer's table are far outside.
  std::vector<uint8_t> seen;
  if (size >= 3 && flexbuffers::VerifyBuffer(data, size, &seen) && flexbuffers::GetRoot(data, size).IsMap()) {
    return ReadMap(flexbuffers::GetRoot(data, size).AsMap());
  }
  return Status::Error("its options (" + std::to_string(size) +
                       " bytes) are neither a FlexBuffers map nor a SparseOptions flatbuffer; the file is damaged, "
                       "convert the model again");
}

Status ReadPadding(const format::SparseOptionsT& in, SparseOptions* out) {
  switch (in.padding) {
    case format::Padding_Same:
      out->same_padding = true;
      return Status::Ok();
    case format::Padding_Valid:
      return Status::Ok();
    case format::Padding_Explicit:
      out->window.padding = {in.pad_top, in.pad_bottom, in.pad_left, in.pad_right};
      return Status::Ok();
  }
  return BadValue("padding", std::to_string(static_cast<int>(in.padding)));
}

Status ReadActivation(const format::SparseOptionsT& in, SparseOptions* out) {
  switch (in.fused_activation) {
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
  return BadValue("fused_activation", std::to_string(static_cast<int>(in.fused_activation)));
}

}  // namespace

Result<SparseOptions> ReadSparseOptions(Span<const uint8_t> bytes) {
  // An aligned copy is read: a file may place the options anywhere, and flatbuffers reads scalars in place. Zeros stand
  // behind it, since FlexBuffers' verification does not look for the end of a key.
  std::vector<uint64_t> words(bytes.size() / 8 + 1);
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  const Result<format::SparseOptionsT> fields =
      ReadFields(reinterpret_cast<const uint8_t*>(words.data()), bytes.size());
  if (!fields.ok()) return fields.status();
  const format::SparseOptionsT& in = *fields;
  if (in.version != kOptionsVersion) {
    return Status::Error("its options have version " + std::to_string(in.version) +
                         ", this delegate reads version 1; use the delegate that came with the converter");
  }
  SparseOptions out;
  out.window.stride_h = in.stride_h;
  out.window.stride_w = in.stride_w;
  out.window.dilation_h = in.dilation_h_factor;
  out.window.dilation_w = in.dilation_w_factor;
  if (in.stride_h < 1 || in.stride_w < 1) return BadValue("stride", "0");
  if (in.dilation_h_factor < 1 || in.dilation_w_factor < 1) return BadValue("dilation factor", "0");
  out.keep_num_dims = in.keep_num_dims;
  if (in.output_height > INT32_MAX || in.output_width > INT32_MAX) return BadValue("output size", "-1");
  out.output_height = static_cast<int>(in.output_height);
  out.output_width = static_cast<int>(in.output_width);
  out.groups = std::max(1, static_cast<int>(in.groups));
  MCPRUNER_RETURN_IF_ERROR(ReadPadding(in, &out));
  MCPRUNER_RETURN_IF_ERROR(ReadActivation(in, &out));
  return out;
}

}  // namespace mcpruner
