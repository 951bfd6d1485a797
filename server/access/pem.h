// Certificates and keys in PEM, as far as the server looks into them before it hands them to gRPC.
// The only file that sees OpenSSL. Pure functions; thread-safe.
#ifndef TIDEMARK_ACCESS_PEM_H_
#define TIDEMARK_ACCESS_PEM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

struct CertificateTerms {
  std::string subject;  // RFC 2253: "CN=example"
  absl::Time begins;
  absl::Time ends;
};

// Of every certificate in `pem`, in order. INVALID_ARGUMENT: there is none, or one is damaged.
absl::StatusOr<std::vector<CertificateTerms>> ReadCertificates(absl::string_view pem);

// OK when `key_pem` is a private key without a passphrase, and that of the first certificate of
// `certificate_pem`. INVALID_ARGUMENT otherwise, without a byte of the key.
absl::Status CheckPrivateKey(absl::string_view key_pem, absl::string_view certificate_pem);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_PEM_H_
