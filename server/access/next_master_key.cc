#include "access/next_master_key.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {

absl::StatusOr<NextMasterKey> NextMasterKey::Open(absl::string_view text) {
  NextMasterKey next;
  if (text.empty()) return next;
  absl::StatusOr<MasterKeySource> source = MasterKeySource::Parse(text, "");
  if (!source.ok()) return source.status();
  next.source_ = *std::move(source);
  if (next.source_->kind == MasterKeySource::Kind::kEnvironment) {
    next.variable_ = ReadMasterKey(*next.source_);
  }
  return next;
}

absl::StatusOr<SecretKey> NextMasterKey::Read() const {
  absl::Status refused;
  if (variable_.has_value()) {
    if (variable_->ok()) return (*variable_)->Copy();
    refused = variable_->status();
  } else {
    absl::StatusOr<SecretKey> key = ReadMasterKey(*source_);
    if (key.ok()) return key;
    refused = key.status();
  }
  return absl::FailedPreconditionError(absl::StrCat("secrets.next_key: ", refused.message()));
}

}  // namespace tidemark
