#include "tests/access/test_certificates.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace tidemark::test {
namespace {

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string KeyText(EVP_PKEY* key, const EVP_CIPHER* cipher) {
  BIO* const bio = BIO_new(BIO_s_mem());
  char passphrase[] = "passphrase";
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(
                bio, key, cipher, cipher == nullptr ? nullptr : passphrase,
                cipher == nullptr ? 0 : sizeof(passphrase) - 1, nullptr, nullptr),
            1);
  return TextOf(bio);
}

}  // namespace

TestCertificate MakeCertificate(const std::string& common_name, absl::Time begins,
                                absl::Time ends) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  EXPECT_NE(key, nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(begins));
  ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(ends));
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_X509(bio, certificate), 1);
  TestCertificate made{TextOf(bio), KeyText(key, nullptr), KeyText(key, EVP_aes_256_cbc())};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

}  // namespace tidemark::test
