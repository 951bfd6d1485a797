#include "core/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tidemark {
namespace {

TEST(TextTest, Utf8IsCheckedAndCutAtCharacters) {
  EXPECT_TRUE(IsUtf8("h\xc3\xa4"));
  EXPECT_FALSE(IsUtf8("\xc3"));
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));  // a lone surrogate
  EXPECT_TRUE(HasNul(absl::string_view("a\0b", 3)));
  EXPECT_FALSE(HasNul(""));
  EXPECT_EQ(CutUtf8("a\xc3\xa4z", 2), "a");
  EXPECT_EQ(CutUtf8("a\xc3\xa4z", 3), "a\xc3\xa4");
  EXPECT_EQ(CutUtf8("abc", 9), "abc");
}

TEST(TextTest, DecimalsAreRecognisedAndMadeCanonical) {
  struct Case {
    const char* text;
    const char* canonical;  // null: no decimal
  };
  const Case cases[] = {
      {"0", "0"},
      {"-0", "0"},
      {"007", "7"},
      {"1.10", "1.1"},
      {"1.00", "1"},
      {"-0.50", "-0.5"},
      {"NaN", "NaN"},
      {"-Infinity", "-Infinity"},
      {"", nullptr},
      {"-", nullptr},
      {"1.", nullptr},
      {".5", nullptr},
      {"1e5", nullptr},
      {"+1", nullptr},
      {"0.000", "0"},
      {"99999999999999999999999999999999999999.5", "99999999999999999999999999999999999999.5"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(IsDecimal(c.text), c.canonical != nullptr) << c.text;
    if (c.canonical != nullptr) {
      EXPECT_EQ(CanonicalDecimal(c.text), c.canonical) << c.text;
    }
  }
}

TEST(TextTest, DecimalsFitTheirDeclaredDigits) {
  EXPECT_TRUE(DecimalFits("9999999999.99", 12, 2));
  EXPECT_FALSE(DecimalFits("10000000000.00", 12, 2));
  EXPECT_FALSE(DecimalFits("0.001", 12, 2));
  EXPECT_TRUE(DecimalFits("0.100", 3, 2));
  EXPECT_TRUE(DecimalFits("0.55", 2, 2));
  EXPECT_TRUE(DecimalFits("NaN", 2, 2));
  EXPECT_TRUE(DecimalFits("123456789.123456789", 0, 0));
}

TEST(TextTest, DoublesRoundTripInTheirShortestText) {
  struct Case {
    double value;
    const char* text;
  };
  const Case cases[] = {{1.0, "1"},
                        {1.5, "1.5"},
                        {0.1 + 0.2, "0.30000000000000004"},
                        {1e22, "1e+22"},
                        {-0.0, "-0"},
                        {std::numeric_limits<double>::infinity(), "Infinity"},
                        {-std::numeric_limits<double>::infinity(), "-Infinity"},
                        {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const Case& c : cases) EXPECT_EQ(DoubleText(c.value), c.text);
  EXPECT_EQ(DoubleDecimal(1e22), "10000000000000000000000");
  EXPECT_EQ(DoubleDecimal(0.1), "0.1");
  EXPECT_EQ(DoubleDecimal(-1.5e-7), "-0.00000015");
}

TEST(TextTest, JsonIsOneWholeDocument) {
  JsonChecker checker;
  for (const char* text : {"{}", " [1, 2.5, \"x\"] ", "null", "\"a\"", "1e400",
                           "123456789012345678901234567890", "{\"a\": {\"b\": []}}"}) {
    EXPECT_TRUE(checker.Check(text).ok()) << text << ": " << checker.Check(text);
  }
  for (const char* text :
       {"", "{", "{} {}", "{a: 1}", "01", "nul", "NaN", "'x'", "[1,]", "\"\xc3\""}) {
    EXPECT_FALSE(checker.Check(text).ok()) << text;
  }
}

TEST(TextTest, JsonStringsAreQuoted) {
  std::string out = "x";
  AppendJsonString("a\"b\n\xc3\xa4", &out);
  EXPECT_EQ(out, "x\"a\\\"b\\n\xc3\xa4\"");
}

}  // namespace
}  // namespace tidemark
