// Each rule of the conformance kit catches a connector that breaks it and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/plugin_sdk/script.h"

namespace {

using tidemark::Sink;
using tidemark::UpdateRequest;
using tidemark_testing::ConformanceCheck;
using tidemark_testing::RunConformance;
using tidemark_testing::Settings;

constexpr int kRows = 30;

// The first row to emit by the state, or an error.
absl::StatusOr<int> Start(const UpdateRequest& request) {
  int start = 0;
  if (!request.State().empty() && !absl::SimpleAtoi(request.State(), &start)) {
    return absl::DataLossError("the state is no number");
  }
  return start;
}

absl::Status EmitRow(Sink& sink, int i) {
  if (absl::Status s = sink.Upsert("users", {{"id", i}}); !s.ok()) return s;
  return i % 10 == 9 ? sink.Checkpoint(absl::StrCat(i + 1)) : sink.Emit();
}

// A connector that keeps every rule.
absl::Status Good(const UpdateRequest& request, Sink& sink) {
  const absl::StatusOr<int> start = Start(request);
  if (!start.ok()) return start.status();
  for (int i = *start; i < kRows; ++i) {
    if (absl::Status s = EmitRow(sink, i); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// The rules that fail; a connector is set up by `script`.
std::vector<std::string> Broken(const std::function<void(Script&)>& script,
                                const Settings& settings = {}) {
  const ScriptRun reset(Good);
  Script::Get().validate_state = [](absl::Span<const tidemark::StateEntry> entries) {
    int number = 0;
    return absl::SimpleAtoi(entries[0].body, &number) ? absl::OkStatus()
                                                      : absl::DataLossError("no number");
  };
  script(Script::Get());
  std::vector<std::string> names;
  for (const ConformanceCheck& c : RunConformance(*tidemark_plugin_entry_v1(), settings)) {
    if (!c.status.ok()) names.push_back(c.name);
  }
  return names;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConformanceRules, PassWhatKeepsThem) {
  EXPECT_THAT(Broken([](Script&) {}, {{"token", "secret-token"}}), IsEmpty());
}

TEST(ConformanceRules, CatchASchemaThatChanges) {
  int calls = 0;
  EXPECT_THAT(Broken([&](Script& s) {
                s.create = [&](const tidemark::Config&) {
                  Script::Get().schema.Add(tidemark::Table(absl::StrCat("t", ++calls)));
                  return absl::OkStatus();
                };
              }),
              ElementsAre("the schema is the same each time"));
}

TEST(ConformanceRules, CatchRowsWithoutACheckpoint) {
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest&, Sink& sink) {
                  return sink.Upsert("users", {{"id", 1}});
                };
              }),
              ElementsAre("a run emits only what the rules allow"));
}

TEST(ConformanceRules, CatchAStateThatIsAheadOfItsRows) {
  // The checkpoint of row i says i + 2: row i + 1 is lost when resumed there.
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest& request, Sink& sink) -> absl::Status {
                  const absl::StatusOr<int> start = Start(request);
                  if (!start.ok()) return start.status();
                  for (int i = *start; i < kRows; ++i) {
                    absl::Status row = sink.Upsert("users", {{"id", i}});
                    if (!row.ok()) return row;
                    absl::Status state = sink.Checkpoint(absl::StrCat(i + 2));
                    if (!state.ok()) return state;
                  }
                  return absl::OkStatus();
                };
              }),
              ElementsAre("resuming from every checkpoint gives the same tables"));
}

TEST(ConformanceRules, CatchASecondRunThatUndoesTheFirst) {
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest& request, Sink& sink) -> absl::Status {
                  const absl::StatusOr<int> start = Start(request);
                  if (!start.ok()) return start.status();
                  if (*start == kRows) {
                    if (absl::Status t = sink.Truncate("users"); !t.ok()) return t;
                  }
                  for (int i = *start; i < kRows; ++i) {
                    if (absl::Status row = EmitRow(sink, i); !row.ok()) return row;
                  }
                  return absl::OkStatus();
                };
              }),
              ElementsAre("a run repeated gives the same tables",
                          "resuming from every checkpoint gives the same tables"));
}

TEST(ConformanceRules, CatchAnswerOtherThanCancelled) {
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest& request, Sink& sink) {
                  const absl::Status status = Good(request, sink);
                  return absl::IsCancelled(status) ? absl::UnavailableError("gone") : status;
                };
              }),
              ElementsAre("cancelling at every emit ends the run and its threads"));
}

TEST(ConformanceRules, CatchAThreadThatStays) {
  std::atomic<bool> end = false;
  std::vector<std::thread> left;
  EXPECT_THAT(Broken([&](Script& s) {
                s.update = [&](const UpdateRequest& request, Sink& sink) {
                  const absl::Status status = Good(request, sink);
                  if (absl::IsCancelled(status) && left.empty()) {
                    left.emplace_back([&] { end.wait(false); });
                  }
                  return status;
                };
              }),
              ElementsAre("cancelling at every emit ends the run and its threads"));
  end = true;
  end.notify_all();
  for (std::thread& t : left) t.join();
}

TEST(ConformanceRules, CatchADamagedStateTakenAsNone) {
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest& request, Sink& sink) -> absl::Status {
                  const absl::StatusOr<int> start = Start(request);
                  for (int i = start.value_or(0); i < kRows; ++i) {
                    if (absl::Status row = EmitRow(sink, i); !row.ok()) return row;
                  }
                  return absl::OkStatus();
                };
              }),
              ElementsAre("a damaged state is refused with words"));
}

TEST(ConformanceRules, CatchAValidationThatAcceptsADamagedState) {
  EXPECT_THAT(Broken([](Script& s) { s.validate_state = nullptr; }),
              ElementsAre("a damaged state is refused with words"));
}

TEST(ConformanceRules, CatchADamagedStateThatLooksLikeABug) {
  EXPECT_THAT(Broken([](Script& s) {
                s.update = [](const UpdateRequest& request, Sink& sink) {
                  if (!Start(request).ok()) throw std::invalid_argument("stoi");
                  return Good(request, sink);
                };
              }),
              ElementsAre("a damaged state is refused with words"));
}

TEST(ConformanceRules, CatchASecretInALogLine) {
  for (const bool in_log : {true, false}) {
    EXPECT_THAT(Broken(
                    [&](Script& s) {
                      s.update = [&](const UpdateRequest& request, Sink& sink) {
                        const std::string text = "GET http://x/?key=secret-token";
                        if (in_log) {
                          sink.Log(tidemark::LogLevel::kInfo, text);
                        } else if (absl::Status w = sink.Warn(text); !w.ok()) {
                          return w;
                        }
                        return Good(request, sink);
                      };
                    },
                    {{"token", "secret-token"}}),
                ElementsAre("no secret is shown"));
  }
}

}  // namespace
