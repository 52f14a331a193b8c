// A JsonWriter writes a JSON text from front to back.
//
//     JsonWriter json;
//     json.BeginObject().Key("name").String(name).Key("nodes").BeginList().Number(1).Number(2).EndList().EndObject();
//
// It puts commas where they belong. Strings may hold any bytes: what is not UTF-8 becomes U+FFFD, so the text is valid.

#ifndef MCPRUNER_DELEGATE_TFLITE_REPORT_JSON_H_
#define MCPRUNER_DELEGATE_TFLITE_REPORT_JSON_H_

#include <cstdint>
#include <string>

namespace mcpruner {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginList() { return Open('['); }
  JsonWriter& EndList() { return Close(']'); }
  JsonWriter& Key(const char* name);
  JsonWriter& String(const std::string& value);
  JsonWriter& Number(int64_t value);
  JsonWriter& Fraction(double value);  // 6 digits after the point; 0 for what is not finite
  JsonWriter& Bool(bool value);

  const std::string& text() const { return text_; }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  void Quote(const std::string& value);

  std::string text_;
  bool first_ = true;  // no comma before the next element
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_REPORT_JSON_H_
