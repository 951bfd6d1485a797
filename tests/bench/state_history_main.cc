// state_history fill|check: makes a history of many state versions, and times the check of one as
// at the start of a sync (L0: every hash, every link of the chain).
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "state/chain_verifier.h"
#include "state/next_version.h"
#include "state/sqlite_state_store.h"

namespace tidemark {
namespace {

constexpr char kConnection[] = "bench";

absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& database, bool read_only) {
  SqliteStateStoreOptions options;
  options.engine = "tidemark bench";
  options.create = !read_only;
  options.read_only = read_only;
  return OpenSqliteStateStore(database, kConnection, options);
}

// The version after `head`, which it becomes.
VersionAppend Following(int64_t epoch, StateHead* head) {
  NextVersion next;
  next.state.body = absl::StrCat("{\"cursor\": ", head->version, "}");
  next.state.cursor = absl::StrCat(head->version);
  next.epoch = epoch;
  next.now_us = absl::ToUnixMicros(absl::Now());
  next.sync_id = "bench";
  next.group_id = absl::StrCat("group-", head->version);
  next.engine = "tidemark bench";
  VersionAppend append = AppendAfter(kConnection, *head, next);
  head->version = append.version.version;
  head->chain = append.version.chain;
  return append;
}

absl::Status Fill(const std::string& database, int64_t versions) {
  absl::StatusOr<std::unique_ptr<StateStore>> store = Open(database, false);
  if (!store.ok()) return store.status();
  OwnershipRequest request;
  request.holder = "bench";
  request.retention.versions = std::numeric_limits<int64_t>::max();
  absl::StatusOr<int64_t> epoch = (*store)->Acquire(request);
  if (!epoch.ok()) return epoch.status();
  StateHead head;
  while (head.version < versions) {
    const VersionAppend append = Following(*epoch, &head);
    if (absl::Status s = (*store)->Append({&append, 1}, {}); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Check(const std::string& database) {
  const absl::Time began = absl::Now();
  absl::StatusOr<std::unique_ptr<StateStore>> store = Open(database, true);
  if (!store.ok()) return store.status();
  absl::StatusOr<std::vector<StateHead>> heads = (*store)->Heads();
  if (!heads.ok()) return heads.status();
  int64_t versions = 0;
  for (const StateHead& head : *heads) {
    ChainVerifier verifier(head.anchor);
    VersionQuery query;
    query.entry = head.entry;
    absl::Status status = (*store)->ReadVersions(query, [&](StoredVersion& stored) {
      ++versions;
      return stored.readable.ok() ? verifier.Add(stored.version) : stored.readable;
    });
    if (!status.ok()) return status;
    if (verifier.last_chain() != head.chain) return absl::DataLossError("the chain is broken");
  }
  std::cout << versions << " " << absl::ToDoubleMilliseconds(absl::Now() - began) << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  CLI::App app("State histories for make bench");
  app.require_subcommand(1);
  std::string database;
  int64_t versions = 0;
  CLI::App* fill = app.add_subcommand("fill", "Appends versions to a new database");
  fill->add_option("--database", database)->required();
  fill->add_option("--versions", versions)->required();
  CLI::App* check = app.add_subcommand("check", "Prints the versions checked and milliseconds");
  check->add_option("--database", database)->required();
  CLI11_PARSE(app, argc, argv);

  const absl::Status done =
      fill->parsed() ? tidemark::Fill(database, versions) : tidemark::Check(database);
  if (done.ok()) return 0;
  std::cerr << "state_history: " << done.message() << "\n";
  return 1;
}
