#include "access/secret_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include "core/digest.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SecretKey Key() {
  absl::StatusOr<SecretKey> key = SecretKey::Random();
  EXPECT_TRUE(key.ok()) << key.status();
  return *std::move(key);
}

TEST(SecretBoxTest, OpensWhatItSealed) {
  const SecretKey key = Key();
  for (const std::string& text : {std::string(), std::string("s3cret"), std::string(1, '\0'),
                                  std::string(100'000, 'x'), std::string("\xff\xfe")}) {
    const absl::StatusOr<std::string> opened = OpenText(key, "of", SealText(key, "of", text));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, text);
  }
  const SecretKey inner = Key();
  const absl::StatusOr<SecretKey> opened = OpenKey(key, "of", SealKey(key, "of", inner));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Hex(), inner.Hex());
}

TEST(SecretBoxTest, NeverMakesTheSameBoxTwice) {
  const SecretKey key = Key();
  std::set<std::string> boxes;
  for (int i = 0; i < 100; ++i) boxes.insert(SealText(key, "of", "s3cret"));
  EXPECT_EQ(boxes.size(), 100);
  for (const std::string& box : boxes) EXPECT_THAT(box, Not(HasSubstr("s3cret")));
}

TEST(SecretBoxTest, RefusesWhatIsNotWhatItSealed) {
  const SecretKey key = Key();
  const std::string box = SealText(key, "of", "s3cret");
  for (size_t i = 0; i < box.size(); ++i) {  // every bit of nonce, text and tag
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = box;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const absl::Status refused = OpenText(key, "of", damaged).status();
      EXPECT_TRUE(absl::IsDataLoss(refused)) << i;
      EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("s3cret")));
    }
  }
  for (size_t size = 0; size < box.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(OpenText(key, "of", box.substr(0, size)).status())) << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(OpenText(key, "of", box + "x").status()));
  EXPECT_TRUE(absl::IsDataLoss(OpenText(Key(), "of", box).status()));
  for (const char* other : {"", "o", "off", "Of"}) {
    EXPECT_TRUE(absl::IsDataLoss(OpenText(key, other, box).status())) << other;
  }
  EXPECT_TRUE(absl::IsDataLoss(OpenKey(key, "of", box).status()));  // no key is in it
}

TEST(SecretBoxTest, KeepsPartsApart) {
  EXPECT_NE(AssociatedParts({"ab", "c"}), AssociatedParts({"a", "bc"}));
  EXPECT_NE(AssociatedParts({"a", ""}), AssociatedParts({"a"}));
  EXPECT_NE(AssociatedParts({"a", "b"}), AssociatedParts({"b", "a"}));
}

TEST(SecretKeyTest, IsReadFromHexOnly) {
  const SecretKey key = Key();
  for (const std::string& text : {key.Hex(), " " + key.Hex() + "\r\n"}) {
    const absl::StatusOr<SecretKey> read = SecretKey::FromHex(text);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->Hex(), key.Hex());
  }
  for (const std::string& wrong :
       {std::string(), key.Hex().substr(1), key.Hex() + "0", key.Hex().substr(1) + "g",
        std::string(32, 'k'), "0x" + key.Hex().substr(2), key.Hex().substr(2) + "\n0"}) {
    const absl::StatusOr<SecretKey> read = SecretKey::FromHex(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << wrong;
    EXPECT_THAT(std::string(read.status().message()), Not(HasSubstr(key.Hex().substr(1, 8))));
  }
}

TEST(SecretKeyTest, IdTellsKeysApartAndIsNoPartOfThem) {
  const SecretKey key = Key();
  EXPECT_EQ(key.Id().size(), 16);
  EXPECT_EQ(key.Id(), SecretKey::FromHex(key.Hex())->Id());
  EXPECT_NE(key.Id(), Key().Id());
  EXPECT_THAT(key.Hex(), Not(HasSubstr(key.Id().substr(0, 8))));
  EXPECT_NE(key.Id(), Hex(Blake2b256(key.Hex())).substr(0, 16));
}

// The flags of the mapping that `address` lies in, as /proc/PID/smaps has them (proc(5), VmFlags).
std::string MappingFlags(const void* address) {
  std::ifstream file("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line + " ";
    }
  }
  return "";
}

TEST(SecretKeyTest, StandsInNoCoreFileAndIsNotSwappedOut) {
  const SecretKey key = Key();
  EXPECT_THAT(MappingFlags(key.bytes()), HasSubstr(" dd "));  // do not dump
#if !defined(__SANITIZE_ADDRESS__)  // AddressSanitizer replaces mlock() by nothing
  EXPECT_THAT(MappingFlags(key.bytes()), HasSubstr(" lo "));  // locked
#endif
  const std::string text = key.Hex();
  EXPECT_THAT(MappingFlags(text.data()), Not(HasSubstr(" dd ")));
}

TEST(SecretKeyTest, WipedTextIsGone) {
  std::string text(64, 'k');
  const volatile char* const bytes = text.data();  // its capacity stays
  Wipe(&text);
  EXPECT_TRUE(text.empty());
  for (int i = 1; i < 64; ++i) ASSERT_EQ(bytes[i], '\0') << i;
}

}  // namespace
}  // namespace tidemark
