// Certificates made on the spot: signed by themselves, with keys of their own.
#ifndef TIDEMARK_TESTS_ACCESS_TEST_CERTIFICATES_H_
#define TIDEMARK_TESTS_ACCESS_TEST_CERTIFICATES_H_

#include <string>

#include "absl/time/time.h"

namespace tidemark::test {

struct TestCertificate {
  std::string certificate;    // PEM
  std::string key;            // PEM
  std::string encrypted_key;  // the same key, with the passphrase "passphrase"
};

TestCertificate MakeCertificate(const std::string& common_name, absl::Time begins, absl::Time ends);

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_ACCESS_TEST_CERTIFICATES_H_
