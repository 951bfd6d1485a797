#include "service/page_token.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "service/call_error.h"

namespace tidemark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kDefaultSize = 100;
constexpr size_t kLargestSize = 1'000;
constexpr size_t kMarkBytes = 8;
constexpr char kForm = 1;

const FieldDescriptor* Field(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

// What must not change from one page to the next: the request's name and its filters.
std::string MarkOf(const Message& request) {
  std::unique_ptr<Message> filters(request.New());
  filters->CopyFrom(request);
  for (const char* name : {"page_size", "page_token", "read_mask"}) {
    if (const FieldDescriptor* field = Field(request, name)) {
      filters->GetReflection()->ClearField(filters.get(), field);
    }
  }
  std::string bytes = request.GetDescriptor()->full_name();
  bytes.push_back('\0');
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    filters->SerializeToCodedStream(&out);
  }
  return Blake2b256(bytes).substr(0, kMarkBytes);
}

}  // namespace

absl::StatusOr<PageRequest> ReadPage(const Message& request) {
  PageRequest page;
  const google::protobuf::Reflection& reflection = *request.GetReflection();
  const uint32_t size = reflection.GetUInt32(request, Field(request, "page_size"));
  page.size = size == 0 ? kDefaultSize : std::min<size_t>(size, kLargestSize);
  const std::string token = reflection.GetString(request, Field(request, "page_token"));
  if (token.empty()) return page;
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() <= 1 + kMarkBytes ||
      bytes[0] != kForm) {
    return BadField("page_token", "is no token that this server gave; begin without one");
  }
  if (absl::string_view(bytes).substr(1, kMarkBytes) != MarkOf(request)) {
    return BadField("page_token",
                    "belongs to a request with other filters; repeat them, or begin without one");
  }
  page.after = bytes.substr(1 + kMarkBytes);
  return page;
}

absl::StatusOr<int64_t> NumberOf(const PageRequest& page) {
  int64_t number = 0;
  if (page.after.empty()) return number;
  if (absl::SimpleAtoi(page.after, &number) && number > 0) return number;
  return BadField("page_token", "is no token that this server gave; begin without one");
}

std::string PageToken(const Message& request, absl::string_view position) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(absl::string_view(&kForm, 1), MarkOf(request), position));
}

}  // namespace tidemark
