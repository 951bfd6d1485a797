// Where a list goes on: opaque to clients, bound to the request it came from. Pure functions.
#ifndef TIDEMARK_SERVICE_PAGE_TOKEN_H_
#define TIDEMARK_SERVICE_PAGE_TOKEN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}

namespace tidemark {

// Where a list begins and how much of it is wanted.
struct PageRequest {
  size_t size = 100;
  std::string after;  // the position of the last element that was answered; empty: the beginning
};

// From the fields `page_size` and `page_token` of a request. INVALID_ARGUMENT (BadRequest names
// page_token): no token of ours, or of a request with other filters.
absl::StatusOr<PageRequest> ReadPage(const google::protobuf::Message& request);
// The same with a position that is a number; 0: the beginning.
absl::StatusOr<int64_t> NumberOf(const PageRequest& page);

// The token that goes on behind `position` with the filters of `request`.
std::string PageToken(const google::protobuf::Message& request, absl::string_view position);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_PAGE_TOKEN_H_
