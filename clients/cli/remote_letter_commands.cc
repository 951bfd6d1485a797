// `tidemark --server ... dead-letters` and `verify`.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/references.h"
#include "control/report.h"
#include "remote_commands.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

constexpr size_t kMaxChange = 4 * 1024 * 1024;

Json LetterJson(const std::string& connection, const v1::StoredLetter& letter) {
  const auto document = [](const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(text) : json;
  };
  return {{"id", letter.id()},
          {"connection", connection},
          {"table", letter.table()},
          {"key", document(letter.key_json())},
          {"code", letter.code()},
          {"reason", letter.reason()},
          {"change", document(letter.change_json())},
          {"context", document(letter.context_json())},
          {"sync", letter.sync_id()},
          {"first_seen", TimeCell(true, letter.first_seen())},
          {"last_seen", TimeCell(true, letter.last_seen())},
          {"attempts", letter.attempts()},
          {"status", letter.status()}};
}

ExitCode ListLetters(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  const auto limit = static_cast<size_t>(call.Number("--limit", 50));
  std::vector<v1::StoredLetter> letters;  // oldest first; shown newest first, as here
  v1::ListDeadLettersRequest request;
  request.set_connection(*name);
  request.set_page_size(1'000);
  do {
    v1::ListDeadLettersResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListDeadLetters, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    letters.insert(letters.end(), response.letters().begin(), response.letters().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  std::reverse(letters.begin(), letters.end());
  letters.resize(std::min(letters.size(), limit));
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const v1::StoredLetter& letter : letters) {
    json.push_back(LetterJson(*name, letter));
    rows.push_back({absl::StrCat(letter.id()), letter.table(), letter.key_json(), letter.reason(),
                    letter.status()});
  }
  if (call.session.json()) {
    call.session.PrintJson(json);
  } else if (rows.empty()) {
    call.session.Note("No dead letters.");
  } else {
    call.session.Print(TextTable({"id", "table", "key", "reason", "status"}, rows));
  }
  return ExitCode::kDone;
}

ExitCode ShowLetter(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::GetDeadLetterRequest request;
  request.set_connection(*name);
  request.set_id(call.Number("ID", 0));
  v1::StoredLetter letter;
  if (absl::Status status = call.server.Call(&Stub::GetDeadLetter, request, &letter);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.PrintJson(LetterJson(*name, letter));
  return ExitCode::kDone;
}

ExitCode Discard(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::DiscardDeadLettersRequest request;
  request.set_connection(*name);
  request.add_ids(call.Number("ID", 0));
  v1::DiscardDeadLettersResponse response;
  if (absl::Status status = call.server.Call(&Stub::DiscardDeadLetters, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Dead letter ", request.ids(0), " is discarded."));
  return ExitCode::kDone;
}

absl::StatusOr<std::string> ChangeOf(RemoteCommand& call) {
  std::string change = call.Text("--change");
  const std::string file = call.Text("--change-file");
  if (change.empty() == file.empty()) {
    return AsUsage(absl::InvalidArgumentError(
        "give the change: --change '{\"op\": \"upsert\", \"values\": {..}}', or --change-file PATH "
        "(\"-\": standard input)"));
  }
  if (!change.empty()) return change;
  if (file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  absl::StatusOr<std::string> text = ReadTextFile(file, kMaxChange);
  if (!text.ok()) return AsUsage(text.status());
  return text;
}

ExitCode Edit(RemoteCommand& call) {
  absl::StatusOr<std::string> change = ChangeOf(call);
  if (!change.ok()) return call.session.Fail(change.status());
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::EditDeadLetterRequest request;
  request.set_connection(*name);
  request.set_id(call.Number("ID", 0));
  request.set_change_json(*change);
  v1::StoredLetter letter;
  if (absl::Status status = call.server.Call(&Stub::EditDeadLetter, request, &letter);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Dead letter ", request.id(),
                                 " holds the new change; `tidemark dead-letters replay ",
                                 request.id(), " ", *name, "` sends it."));
  if (call.session.json()) call.session.PrintJson({{"edited", request.id()}});
  return ExitCode::kDone;
}

ExitCode Replay(RemoteCommand& call) {
  v1::ReplayDeadLettersRequest request;
  for (const std::string& word : call.Texts("WORDS")) {
    int64_t id = 0;
    if (absl::SimpleAtoi(word, &id)) {
      request.add_ids(id);
    } else {
      request.set_connection(word);
    }
  }
  if (request.connection().empty()) {
    return call.session.Fail(AsUsage(
        absl::InvalidArgumentError("name the connection: dead-letters replay [ID...] CONNECTION")));
  }
  v1::ReplayDeadLettersResponse response;
  if (absl::Status status = call.server.Call(&Stub::ReplayDeadLetters, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  const Json report = Json::parse(response.report_json(), nullptr, false);
  if (call.session.json()) {
    Json json = {
        {"replayed", std::vector<int64_t>(response.replayed().begin(), response.replayed().end())},
        {"failed", std::vector<int64_t>(response.failed().begin(), response.failed().end())},
        {"refused", Json::array()},
        {"report", report}};
    for (const auto& refused : response.refused()) {
      json["refused"].push_back({{"id", refused.id()}, {"reason", refused.reason()}});
    }
    call.session.PrintJson(json);
  } else {
    if (report.is_object()) call.session.Print(ReportText(report));
    call.session.Note(absl::StrCat("Replayed: ", response.replayed_size(),
                                   ", failed again: ", response.failed_size(),
                                   ", not replayed: ", response.refused_size(), "."));
    for (const auto& refused : response.refused()) {
      call.session.Note(absl::StrCat("  dead letter ", refused.id(), ": ", refused.reason()));
    }
  }
  if (response.sync().status() == v1::SYNC_STATUS_FAILED) {
    return call.session.Fail(absl::UnknownError(response.sync().error()));
  }
  const bool all = response.failed().empty() && response.refused().empty();
  return all && response.sync().status() == v1::SYNC_STATUS_COMPLETED ? ExitCode::kDone
                                                                      : ExitCode::kPartial;
}

ExitCode Verify(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::VerifyRequest request;
  request.set_connection(*name);
  for (const std::string& table : call.Texts("--table")) request.add_tables(table);
  request.set_repair(call.Flag("--repair"));
  request.set_listed(static_cast<uint32_t>(call.Number("--sample", 0)));
  request.set_allow_mass_deletes(call.Flag("--yes"));
  grpc::ClientContext context;
  call.server.Prepare(&context, absl::InfiniteDuration());
  const auto reader = call.server.stub().Verify(&context, request);
  v1::VerifyResponse response;
  v1::VerifyResult result;
  while (reader->Read(&response)) {
    if (response.has_result()) result = response.result();
    if (!response.table_begun().empty()) {
      call.session.log().Write(LogLevel::kDebug, {*name, "", response.table_begun()}, "comparing");
    }
  }
  if (absl::Status status = call.server.StatusOf(reader->Finish()); !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) {
    call.session.PrintJson(Json::parse(result.json(), nullptr, false));
  } else {
    call.session.Print(result.text());
    if (result.differences_found()) {
      call.session.Note("`tidemark verify --repair` reads these rows again and puts them right.");
    }
  }
  if (!result.error().empty()) call.session.Fail(absl::UnknownError(result.error()));
  return static_cast<ExitCode>(result.exit_code());
}

}  // namespace

void AddRemoteLetterActions(RemoteActions* actions) {
  actions->insert({{"dead-letters list", ListLetters},
                   {"dead-letters show", ShowLetter},
                   {"dead-letters discard", Discard},
                   {"dead-letters edit", Edit},
                   {"dead-letters replay", Replay},
                   {"verify", Verify}});
}

}  // namespace tidemark
