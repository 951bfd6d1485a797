// `tidemark --server ... state` log, show, diff, rollback, reset, migrate, export and import.
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/references.h"
#include "core/digest.h"
#include "core/text.h"
#include "remote_commands.h"
#include "remote_state.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

constexpr size_t kMaxState = 4 * 1024 * 1024;

Json VersionJson(const v1::StateVersionRecord& version) {
  const v1::RowCounts& counts = version.counts();
  const uint64_t sum = counts.inserted() + counts.updated() + counts.deleted() +
                       counts.unchanged() + counts.superseded() + counts.missing() +
                       counts.conflicts() + counts.late_queued() + counts.dead_letters();
  return {{"entry", version.entry()},
          {"version", version.version()},
          {"parent", version.parent()},
          {"kind", version.kind()},
          {"created_at", TimeCell(true, version.created_at())},
          {"epoch", version.epoch()},
          {"cursor", version.cursor()},
          {"records_processed", sum},
          {"records_inserted", counts.inserted()},
          {"records_updated", counts.updated()},
          {"records_deleted", counts.deleted()},
          {"records_unchanged", counts.unchanged()},
          {"sync", version.sync_id()},
          {"body_hash", version.body_hash()},
          {"chain", version.chain()},
          {"engine", version.engine()}};
}

ExitCode ShowLog(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  const int64_t limit = call.Number("--limit", 20);
  v1::ListStateVersionsRequest request;
  request.set_connection(*name);
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  request.set_page_size(static_cast<uint32_t>(std::min<int64_t>(limit, 1'000)));
  Json versions = Json::array();
  std::vector<std::vector<std::string>> rows;
  std::string damage;
  do {
    v1::ListStateVersionsResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListStateVersions, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    if (damage.empty()) damage = response.damage();
    for (const v1::StateVersionRecord& version : response.versions()) {
      if (static_cast<int64_t>(rows.size()) == limit) break;
      Json one = VersionJson(version);
      if (version.body_bytes() >= 0) one["body_bytes"] = version.body_bytes();
      rows.push_back(
          {EntryCell(version.entry()), absl::StrCat(version.version()), version.kind(),
           TimeCell(true, version.created_at()), version.sync_id(),
           Grouped(one["records_processed"].get<uint64_t>()), version.cursor(),
           version.body_bytes() < 0 ? "" : Grouped(static_cast<uint64_t>(version.body_bytes())),
           version.chain().substr(0, 12)});
      versions.push_back(std::move(one));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && static_cast<int64_t>(rows.size()) < limit);
  if (call.session.json()) {
    call.session.PrintJson({{"connection", *name},
                            {"chain", damage.empty() ? "valid" : damage},
                            {"versions", std::move(versions)}});
  } else {
    call.session.Print(TextTable(
        {"entry", "version", "kind", "created", "sync", "records", "cursor", "bytes", "chain"},
        rows));
    call.session.Print(damage.empty() ? "chain: valid\n" : "");
  }
  return damage.empty() ? ExitCode::kDone : call.session.Fail(absl::DataLossError(damage));
}

ExitCode ShowState(RemoteCommand& call) {
  if (call.Flag("--version") && call.Flag("--at")) {
    return call.session.Fail(
        AsUsage(absl::InvalidArgumentError("give --version or --at, not both")));
  }
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::GetStateRequest request;
  request.set_connection(*name);
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  const std::string at = call.Flag("--version") ? call.Text("--version") : call.Text("--at");
  if (!at.empty()) {
    if (absl::Status status = ParsePoint(at, request.mutable_at()); !status.ok()) {
      return call.session.Fail(status);
    }
  }
  v1::GetStateResponse response;
  if (absl::Status status = call.server.Call(&Stub::GetState, request, &response); !status.ok()) {
    return call.session.Fail(status);
  }
  Json list = Json::array();
  for (const v1::StateBody& state : response.states()) {
    const std::string body =
        IsUtf8(state.body()) ? state.body() : absl::StrCat("0x", Hex(state.body()));
    Json one = VersionJson(state.version());
    one["body"] = body;
    list.push_back(std::move(one));
    if (call.session.json()) continue;
    const v1::StateVersionRecord& version = state.version();
    call.session.Note(call.session.Heading(
        absl::StrCat(EntryCell(version.entry()), " version ", version.version(), ", ",
                     version.kind(), ", ", TimeCell(true, version.created_at()))));
    call.session.Print(body + "\n");
  }
  if (call.session.json()) call.session.PrintJson(list);
  return ExitCode::kDone;
}

std::string JsonText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : DumpJson(value, -1);
}

void PrintPair(Session& session, const Json& pair) {
  const auto named = [](const Json& version) {
    return version.is_null() ? std::string("nothing") : absl::StrCat("version ", JsonText(version));
  };
  session.Print(session.Heading(absl::StrCat(EntryCell(pair["entry"].get<std::string>()), ": ",
                                             named(pair["from"]), " -> ", named(pair["to"]))) +
                "\n");
  if (pair["changes"].empty()) session.Print("  no difference\n");
  for (const Json& change : pair["changes"]) {
    const std::string path = JsonText(change["path"]);
    if (change["what"] == "added") {
      session.Print(absl::StrCat("  + ", path, ": ", JsonText(change["after"]), "\n"));
    } else if (change["what"] == "removed") {
      session.Print(absl::StrCat("  - ", path, ": ", JsonText(change["before"]), "\n"));
    } else {
      session.Print(absl::StrCat("  ~ ", path, ": ", JsonText(change["before"]), " -> ",
                                 JsonText(change["after"]), "\n"));
    }
  }
}

ExitCode ShowDiff(RemoteCommand& call) {
  const std::vector<std::string> words = call.Texts("WORDS");
  if (words.size() != 3 && (words.size() != 2 || !call.Flag("--connection"))) {
    return call.session.Fail(AsUsage(absl::InvalidArgumentError(
        "name the connection and two versions, syncs or times: state diff CONNECTION FROM TO")));
  }
  v1::DiffStateRequest request;
  request.set_connection(words.size() == 3 ? words.front() : call.Text("--connection"));
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  absl::Status status = ParsePoint(words[words.size() - 2], request.mutable_from());
  if (status.ok()) status = ParsePoint(words.back(), request.mutable_to());
  v1::DiffStateResponse response;
  if (status.ok()) status = call.server.Call(&Stub::DiffState, request, &response);
  if (!status.ok()) return call.session.Fail(status);
  const Json json = Json::parse(response.json(), nullptr, false);
  if (!json.is_array()) return call.session.Fail(absl::DataLossError("the answer is no document"));
  if (call.session.json()) {
    call.session.PrintJson(json);
  } else {
    for (const Json& pair : json) PrintPair(call.session, pair);
  }
  return ExitCode::kDone;
}

ExitCode Rollback(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::RollbackStateRequest request;
  request.set_connection(*name);
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  if (absl::Status status = ParsePoint(call.Text("--to"), request.mutable_to()); !status.ok()) {
    return call.session.Fail(status);
  }
  return ChangeState(call, "rollback", &Stub::RollbackState, request);
}

ExitCode Reset(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::ResetStateRequest request;
  request.set_connection(*name);
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  return ChangeState(call, "reset", &Stub::ResetState, request);
}

ExitCode Migrate(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::MigrateStateRequest request;
  request.set_connection(*name);
  return ChangeState(call, "migrate", &Stub::MigrateState, request);
}

ExitCode Export(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::ExportStateRequest request;
  request.set_connection(*name);
  if (const auto entry = call.Given("--table")) request.set_entry(*entry);
  if (const std::string at = call.Text("--at"); !at.empty()) {
    if (absl::Status status = ParsePoint(at, request.mutable_at()); !status.ok()) {
      return call.session.Fail(status);
    }
  }
  v1::ExportStateResponse response;
  if (absl::Status status = call.server.Call(&Stub::ExportState, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  const std::string output = call.Text("--output");
  if (output.empty()) {
    call.session.Print(response.json());
    return ExitCode::kDone;
  }
  if (absl::Status status = WriteTextFile(output, response.json()); !status.ok()) {
    return call.session.Fail(AsLocal(status));
  }
  call.session.Note(absl::StrCat("Written to ", output, "."));
  if (call.session.json()) call.session.PrintJson({{"written", output}});
  return ExitCode::kDone;
}

ExitCode Import(RemoteCommand& call) {
  const std::vector<std::string> words = call.Texts("WORDS");
  if (words.size() != 2 && (words.size() != 1 || !call.Flag("--connection"))) {
    return call.session.Fail(AsUsage(absl::InvalidArgumentError(
        "name the connection and the state to take: state import CONNECTION STATE.json")));
  }
  absl::StatusOr<std::string> text = ReadTextFile(words.back(), kMaxState);
  if (!text.ok()) return call.session.Fail(AsUsage(text.status()));
  v1::ImportStateRequest request;
  request.set_connection(words.size() == 2 ? words.front() : call.Text("--connection"));
  request.set_json(*text);
  return ChangeState(call, "import", &Stub::ImportState, request);
}

}  // namespace

void AddRemoteStateActions(RemoteActions* actions) {
  actions->insert({{"state log", ShowLog},
                   {"state show", ShowState},
                   {"state diff", ShowDiff},
                   {"state rollback", Rollback},
                   {"state reset", Reset},
                   {"state migrate", Migrate},
                   {"state export", Export},
                   {"state import", Import}});
}

}  // namespace tidemark
