#include "delegate/tflite/report/json.h"

#include <cmath>

namespace mcpruner {
namespace {

// Returns the bytes of the UTF-8 character at `i`, or 0 where there is none.
size_t CharacterBytes(const std::string& s, size_t i) {
  const auto byte = [&](size_t k) { return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u; };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (size_t k = 1; k < bytes; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF are not allowed.
  const unsigned second = byte(i + 1);
  const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                   (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return bad ? 0 : bytes;
}

}  // namespace

void JsonWriter::Separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

void JsonWriter::Quote(const std::string& value) {
  constexpr char kHex[] = "0123456789abcdef";
  text_ += '"';
  for (size_t i = 0; i < value.size();) {
    const auto c = static_cast<unsigned char>(value[i]);
    const size_t bytes = CharacterBytes(value, i);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += value[i];
    } else if (c < 0x20) {
      text_ += "\\u00";
      text_ += kHex[c >> 4];
      text_ += kHex[c & 15];
    } else if (bytes == 0) {
      text_ += "\\ufffd";
    } else {
      text_.append(value, i, bytes);
    }
    i += bytes == 0 ? 1 : bytes;
  }
  text_ += '"';
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::Key(const char* name) {
  Separate();
  Quote(name);
  text_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::String(const std::string& value) {
  Separate();
  Quote(value);
  return *this;
}

JsonWriter& JsonWriter::Number(int64_t value) {
  Separate();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::Fraction(double value) {
  // The number is written by hand, since printf and std::to_string write the decimal comma of the app's locale.
  const double clamped = std::isfinite(value) ? std::fmin(std::fmax(value, -1e12), 1e12) : 0.0;
  const auto millionths = static_cast<int64_t>(std::llround(std::fabs(clamped) * 1e6));
  std::string digits = std::to_string(millionths % 1000000);
  digits.insert(0, 6 - digits.size(), '0');
  Separate();
  text_ += (clamped < 0 ? "-" : "") + std::to_string(millionths / 1000000) + "." + digits;
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  text_ += value ? "true" : "false";
  return *this;
}

}  // namespace mcpruner
