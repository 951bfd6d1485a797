// pusher ADDRESS CONNECTION PRODUCER MESSAGES: pushes ten rows with each message, one every ten
// milliseconds, and does not give up when the server is gone for a while. The keys are
// PRODUCER * 1,000,000 + 1, 2, 3, ...; each is pushed twice, "first", then "last".
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/service/push_client.h"

namespace tidemark::test {
namespace {

constexpr int64_t kRows = 10;

void Add(int64_t id, const std::string& name, v1::Rows* rows) {
  v1::Row* const row = rows->add_rows();
  row->set_table("item");
  (*row->mutable_values())["id"].set_int64(id);
  (*row->mutable_values())["name"].set_string(name);
}

absl::Status Push(const std::string& address, const std::string& connection, int64_t producer,
                  int64_t messages) {
  PushClient::Options options;
  options.address = address;
  options.connection = connection;
  options.producer = absl::StrCat("p", producer);
  options.window = 64;
  PushClient client(options);
  if (absl::Status s = client.Define(TableRequest(0, "item")); !s.ok()) return s;
  for (int64_t i = 0; i < messages; ++i) {
    v1::PushRequest request;
    for (int64_t n = 0; n < kRows; ++n) {
      const int64_t id = producer * 1'000'000 + i * kRows + n + 1;
      Add(id, "first", request.mutable_rows());
      Add(id, "last", request.mutable_rows());
    }
    if (absl::Status s = client.Push(std::move(request)); !s.ok()) return s;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return client.Finish();
}

}  // namespace
}  // namespace tidemark::test

int main(int argc, char** argv) {
  int64_t producer = 0;
  int64_t messages = 0;
  if (argc != 5 || !absl::SimpleAtoi(argv[3], &producer) || !absl::SimpleAtoi(argv[4], &messages)) {
    std::cerr << "usage: pusher ADDRESS CONNECTION PRODUCER MESSAGES\n";
    return 2;
  }
  const absl::Status pushed = tidemark::test::Push(argv[1], argv[2], producer, messages);
  if (!pushed.ok()) std::cerr << "pusher: " << pushed << "\n";
  return pushed.ok() ? 0 : 1;
}
