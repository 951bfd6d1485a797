// list_syncs fill|ask: gives a server's catalog a long history, and times ListSyncs over it.
#include <grpcpp/create_channel.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/catalog.h"
#include "service/sync_history.h"
#include "tidemark/v1/control.grpc.pb.h"

namespace tidemark {
namespace {

constexpr int64_t kStepUs = 1'000'000;
constexpr int kConnections = 50;

// A sync a second until now, of fifty connections in turns; one in twenty has failed.
absl::Status Fill(const std::string& folder, int64_t syncs) {
  absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder);
  if (!catalog.ok()) return catalog.status();
  SyncHistory history(catalog->get());
  const int64_t now_us = absl::ToUnixMicros(absl::Now());
  if (absl::Status s = history.Open(now_us).status(); !s.ok()) return s;
  const int64_t begin_us = now_us - syncs * kStepUs;
  return (*catalog)->Transaction([&](SqliteConnection& db) -> absl::Status {
    for (int64_t i = 0; i < syncs; ++i) {
      const int64_t at_us = begin_us + i * kStepUs;
      absl::Status s = db.Run(
          "INSERT INTO syncs(sync_id, connection, producer, phase, cause, queued_at, started_at, "
          "ended_at, whole, narrowed, counts, bytes, commits, retries, error, error_code, "
          "interrupted, started_by, skew) VALUES(?, ?, '', ?, 1, ?, ?, ?, 0, 0, "
          "'10 0 0 0 0 0 0 0 0 0 0 0', 4096, 1, 0, '', 0, 0, 'schedule', 0)",
          SyncIdOf(at_us, static_cast<uint64_t>(i)), absl::StrCat("c", i % kConnections),
          i % 20 == 0 ? 5 : 3, at_us, at_us + 1000, at_us + 500'000);
      if (!s.ok()) return s;
    }
    return absl::OkStatus();
  });
}

// Walks through pages as clients do: from the newest, with every kind of filter, at any depth.
bool Ask(const std::string& address, int64_t calls) {
  const auto stub =
      v1::Control::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  std::vector<double> milliseconds;
  std::string token;
  v1::ListSyncsRequest request;
  for (int64_t i = 0; i < calls; ++i) {
    const bool begins = token.empty() || i % 50 == 0;
    if (begins) {
      request.Clear();
      request.set_page_size(100);
      if (i % 3 == 1) request.set_connection(absl::StrCat("c", i % kConnections));
      if (i % 4 == 1) request.add_statuses(v1::SYNC_STATUS_FAILED);
      if (i % 5 == 1) {
        request.mutable_until()->set_seconds(absl::ToUnixSeconds(absl::Now()) - 3600 * (i % 24));
      }
    } else {
      request.set_page_token(token);
    }
    grpc::ClientContext context;
    v1::ListSyncsResponse response;
    const absl::Time began = absl::Now();
    const grpc::Status status = stub->ListSyncs(&context, request, &response);
    milliseconds.push_back(absl::ToDoubleMilliseconds(absl::Now() - began));
    if (!status.ok() || (begins && response.syncs().empty())) {
      std::cerr << "list_syncs: " << status.error_message() << ", " << response.syncs_size()
                << " syncs for " << request.ShortDebugString() << "\n";
      return false;
    }
    token = response.next_page_token();
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << "p50 " << milliseconds[milliseconds.size() / 2] << "\np99 "
            << milliseconds[milliseconds.size() * 99 / 100] << "\n";
  return true;
}

int Run(int argc, char** argv) {
  CLI::App app("Times ListSyncs over a long history.", "list_syncs");
  app.require_subcommand(1);
  std::string place;
  int64_t count = 100'000;
  CLI::App* const fill = app.add_subcommand("fill");
  CLI::App* const ask = app.add_subcommand("ask");
  for (CLI::App* command : {fill, ask}) {
    command->add_option("PLACE", place)->required();
    command->add_option("--count", count);
  }
  CLI11_PARSE(app, argc, argv);
  if (ask->parsed()) return Ask(place, count) ? 0 : 1;
  const absl::Status filled = Fill(place, count);
  if (!filled.ok()) std::cerr << "list_syncs: " << filled.message() << "\n";
  return filled.ok() ? 0 : 1;
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) { return tidemark::Run(argc, argv); }
