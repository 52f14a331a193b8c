#include "delegate/cost/flat_json.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace mcpruner::cost {
namespace {

// The parser calls this for each piece of the text. No tree is built, and errors are calls too, not exceptions.
class Flattener : public nlohmann::json_sax<nlohmann::json> {
 public:
  FlatJson take() { return std::move(found_); }
  const std::string& error() const { return error_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t value) override { return Number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return Number(value); }
  bool string(string_t& value) override {
    if (lists_ == 0) found_.texts[path_] = value;
    return true;
  }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(size_t /*elements*/) override {
    parents_.push_back(path_.size());
    return true;
  }
  bool key(string_t& name) override {
    path_.resize(parents_.back());
    path_ += (path_.empty() ? "" : "/") + name;
    return true;
  }
  bool end_object() override {
    path_.resize(parents_.back());
    parents_.pop_back();
    return true;
  }
  bool start_array(size_t /*elements*/) override {
    ++lists_;
    return true;
  }
  bool end_array() override {
    --lists_;
    return true;
  }
  bool parse_error(size_t position, const std::string& /*token*/, const nlohmann::detail::exception& /*e*/) override {
    error_ = "it is no JSON from byte " + std::to_string(position) + " on";
    return false;
  }

 private:
  bool Number(double value) {
    if (lists_ == 0) found_.numbers[path_] = value;
    return true;
  }

  FlatJson found_;
  std::string path_, error_;
  std::vector<size_t> parents_;  // how long the path was before each object that is open
  int lists_ = 0;                // how many are open
};

}  // namespace

Result<FlatJson> ReadFlatJson(const std::string& text) {
  Flattener flattener;
  if (!nlohmann::json::sax_parse(text, &flattener)) return Status::Error(flattener.error());
  return flattener.take();
}

}  // namespace mcpruner::cost
