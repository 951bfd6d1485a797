#include "core/digest.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(DigestTest, PlainHashIsThatOfRfc7693) {
  // RFC 7693 defines BLAKE2b; the 256-bit value of "abc" is the published vector of the reference
  // implementation.
  EXPECT_EQ(Hex(Blake2b256("abc")),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(DigestTest, LengthPrefixKeepsPartsApart) {
  Digest digest(32);
  digest.Add("ab");
  digest.Add("c");
  const std::string first = digest.Finish();
  digest.Add("a");
  digest.Add("bc");
  EXPECT_NE(first, digest.Finish());
}

TEST(DigestTest, FinishStartsAfresh) {
  Digest digest(16);
  digest.AddInt(-1);
  const std::string first = digest.Finish();
  EXPECT_EQ(first.size(), 16u);
  digest.AddInt(-1);
  EXPECT_EQ(first, digest.Finish());
}

TEST(DigestTest, RandomTextsDiffer) {
  EXPECT_EQ(RandomHex(8).size(), 16u);
  EXPECT_NE(RandomHex(8), RandomHex(8));
}

}  // namespace
}  // namespace tidemark
