#include "access/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

Bio Memory(absl::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a passphrase must not make the server ask for one on its terminal.
int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Certificate ReadNext(BIO* bio) {
  return Certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm broken_down = {};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return absl::InfinitePast();
  return absl::FromTM(broken_down, absl::UTCTimeZone());
}

std::string Subject(const X509* certificate) {
  const Bio text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);  // NOLINT: OpenSSL's type
  return std::string(bytes, static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<std::vector<CertificateTerms>> ReadCertificates(absl::string_view pem) {
  const Bio bio = Memory(pem);
  std::vector<CertificateTerms> found;
  while (const Certificate certificate = ReadNext(bio.get())) {
    found.push_back({Subject(certificate.get()), TimeOf(X509_get0_notBefore(certificate.get())),
                     TimeOf(X509_get0_notAfter(certificate.get()))});
  }
  // The end of the text is an error of OpenSSL too: no further first line was found.
  const unsigned long error = ERR_peek_last_error();  // NOLINT: OpenSSL's type
  ERR_clear_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate ", found.size() + 1, " is damaged"));
  }
  if (found.empty()) {
    return absl::InvalidArgumentError(
        "there is no certificate in it; it must be PEM (-----BEGIN CERTIFICATE-----)");
  }
  return found;
}

absl::Status CheckPrivateKey(absl::string_view key_pem, absl::string_view certificate_pem) {
  bool asked = false;
  const Bio key_text = Memory(key_pem);
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, NoPassphrase, &asked));
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        asked ? "the key has a passphrase; store it without one (openssl pkey -in OLD -out NEW)"
              : "there is no private key in it; it must be PEM (-----BEGIN PRIVATE KEY-----)");
  }
  const Bio certificate_text = Memory(certificate_pem);
  const Certificate certificate = ReadNext(certificate_text.get());
  const bool fits =
      certificate != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits ? absl::OkStatus()
              : absl::InvalidArgumentError("the key is not that of the certificate");
}

}  // namespace tidemark
