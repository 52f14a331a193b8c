#include "delegate/tflite/report/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace mcpruner {
namespace {

std::string Quoted(const std::string& value) { return JsonWriter().String(value).text(); }
std::string Written(double value) { return JsonWriter().Fraction(value).text(); }

TEST(Json, CommasStandBetweenElements) {
  JsonWriter json;
  json.BeginObject().Key("a").Number(-1).Key("b").BeginList().Bool(true).Bool(false).BeginList().EndList().EndList();
  json.Key("c").BeginObject().EndObject().EndObject();
  EXPECT_EQ(json.text(), R"({"a":-1,"b":[true,false,[]],"c":{}})");
}

TEST(Json, StringsAreEscaped) {
  EXPECT_EQ(Quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quoted("\n\x1f"), R"("\u000a\u001f")");
  EXPECT_EQ(Quoted(std::string(1, '\0')), R"("\u0000")");
}

TEST(Json, Utf8PassesAndOtherBytesAreReplaced) {
  EXPECT_EQ(Quoted("\u00e9\u20ac\U0001F600"), "\"\u00e9\u20ac\U0001F600\"");
  EXPECT_EQ(Quoted("\xff"), R"("\ufffd")");
  EXPECT_EQ(Quoted("\xc3"), R"("\ufffd")");                                // cut short
  EXPECT_EQ(Quoted("\xc0\x80"), R"("\ufffd\ufffd")");                      // overlong
  EXPECT_EQ(Quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");            // a surrogate
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // above U+10FFFF
}

TEST(Json, FractionsHaveSixDigits) {
  EXPECT_EQ(Written(0.178), "0.178000");
  EXPECT_EQ(Written(-2.5), "-2.500000");
  EXPECT_EQ(Written(0.9999999), "1.000000");
  EXPECT_EQ(Written(std::numeric_limits<double>::quiet_NaN()), "0.000000");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "0.000000");
}

}  // namespace
}  // namespace mcpruner
