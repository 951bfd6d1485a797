// The key that the next rotation seals with, from where the settings say (`secrets.next_key`). It
// never comes over the wire.
#ifndef TIDEMARK_ACCESS_NEXT_MASTER_KEY_H_
#define TIDEMARK_ACCESS_NEXT_MASTER_KEY_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/master_key.h"
#include "access/secret_key.h"

namespace tidemark {

// Thread-safe once it is opened.
class NextMasterKey {
 public:
  // None is named.
  NextMasterKey() = default;
  // `text` as MasterKeySource::Parse() takes it, empty: none is named. A variable is read here, and
  // removed from the environment as ReadMasterKey() says; whether it held a key, Read() tells. A
  // file or a credential is read by each Read(), so that it may come later.
  static absl::StatusOr<NextMasterKey> Open(absl::string_view text);

  bool named() const { return source_.has_value(); }
  // REQUIRES named(). As MasterKeySource::Describe().
  std::string Describe() const { return source_->Describe(); }
  // REQUIRES named(). FAILED_PRECONDITION: there is none, or it is not as ReadMasterKey() wants it;
  // the text names the setting.
  absl::StatusOr<SecretKey> Read() const;

 private:
  std::optional<MasterKeySource> source_;
  std::optional<absl::StatusOr<SecretKey>> variable_;  // what the variable held
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_NEXT_MASTER_KEY_H_
