#include "access/tls_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/pem.h"
#include "access/private_file.h"
#include "access/secret_key.h"
#include "core/status_context.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

// Adds the terms of each certificate of `pem` to `material`.
absl::Status CheckTerms(absl::string_view what, const std::string& path, absl::string_view pem,
                        absl::Time now, TlsMaterial* material) {
  const absl::StatusOr<std::vector<CertificateTerms>> certificates = ReadCertificates(pem);
  const std::string name = absl::StrCat(what, " file ", path);
  if (!certificates.ok()) return WithContext(name, certificates.status());
  for (const CertificateTerms& terms : *certificates) {
    if (terms.ends <= now) {
      return absl::FailedPreconditionError(
          absl::StrCat(name, ": the certificate of ", terms.subject, " expired at ",
                       FormatReportTime(terms.ends), "; replace it"));
    }
    if (terms.begins > now) {
      return absl::FailedPreconditionError(absl::StrCat(
          name, ": the certificate of ", terms.subject, " is not valid before ",
          FormatReportTime(terms.begins), "; replace it, or set this machine's clock right"));
    }
    if (terms.ends - now < TlsFiles::kWarnBefore) {
      material->warnings.push_back(
          absl::StrCat(name, ": the certificate of ", terms.subject, " expires in ",
                       (terms.ends - now) / absl::Hours(24), " days, at ",
                       FormatReportTime(terms.ends), "; replace it before"));
    }
    material->expires_at = std::min(material->expires_at, terms.ends);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsMaterial> TlsFiles::Read() {
  // Before the reading: a file that is replaced meanwhile counts as changed.
  marks_ = CurrentMarks();
  if (paths_.certificate.empty() || paths_.key.empty()) {
    return absl::InvalidArgumentError("tls: both a certificate and a key are needed");
  }
  TlsMaterial material;
  material.expires_at = absl::InfiniteFuture();
  const absl::Time now = clock_.Now();
  absl::StatusOr<std::string> certificate =
      ReadPrivateFile(paths_.certificate, {.what = "TLS certificate"});
  if (!certificate.ok()) return certificate.status();
  absl::Status checked =
      CheckTerms("TLS certificate", paths_.certificate, *certificate, now, &material);
  if (!checked.ok()) return checked;
  material.certificate = *std::move(certificate);

  if (!paths_.client_ca.empty()) {
    absl::StatusOr<std::string> authority =
        ReadPrivateFile(paths_.client_ca, {.what = "TLS client CA"});
    if (!authority.ok()) return authority.status();
    checked = CheckTerms("TLS client CA", paths_.client_ca, *authority, now, &material);
    if (!checked.ok()) return checked;
    material.client_ca = *std::move(authority);
  }

  absl::StatusOr<std::string> key =
      ReadPrivateFile(paths_.key, {.what = "TLS key", .forbidden_mode = 007});
  if (!key.ok()) return key.status();
  checked = CheckPrivateKey(*key, material.certificate);
  if (!checked.ok()) {
    Wipe(&*key);
    return WithContext(absl::StrCat("TLS key file ", paths_.key), checked);
  }
  material.key = *std::move(key);
  return material;
}

bool TlsFiles::Changed() const { return CurrentMarks() != marks_; }

TlsFiles::Mark TlsFiles::MarkOf(const std::string& path) {
  struct stat found = {};
  if (path.empty() || stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size,
          int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec};
}

TlsFiles::Marks TlsFiles::CurrentMarks() const {
  return {MarkOf(paths_.certificate), MarkOf(paths_.key), MarkOf(paths_.client_ca)};
}

}  // namespace tidemark
