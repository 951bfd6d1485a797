// A short name for a text that is the same on every machine and in every run.
#ifndef TIDEMARK_CURSORS_TEXT_DIGEST_H_
#define TIDEMARK_CURSORS_TEXT_DIGEST_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tidemark::cursors {

// 32 hexadecimal digits. FNV-1a with 128 bits (G. Fowler, L. Noll, K.-P. Vo; offset basis
// 6c62272e07bb014262b821756295c58d, prime 2^88 + 0x13b). Not for secrets and not against an
// adversary: it tells rows apart that are honest.
std::string TextDigest(absl::string_view text);

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_TEXT_DIGEST_H_
