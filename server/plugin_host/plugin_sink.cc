#include "plugin_host/plugin_sink.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "plugin_host/abi_reader.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/call_status.h"
#include "wire/row_codec.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"

namespace tidemark {
namespace {

// A plugin that waits says so this often, so that its silence is not taken for a stall.
constexpr absl::Duration kSignOfLife = absl::Seconds(60);

absl::Status Cancelled() { return absl::CancelledError("the sync was cancelled"); }

PluginSink& SinkOf(const tidemark_sink* sink) { return *static_cast<PluginSink*>(sink->ctx); }

std::vector<TableRows> Counted(const std::vector<uint64_t>& rows) {
  std::vector<TableRows> counted;
  for (uint32_t table = 0; table < rows.size(); ++table) {
    if (rows[table] > 0) counted.push_back({table, rows[table]});
  }
  return counted;
}

}  // namespace

template <typename Body>
tidemark_code PluginSink::Enter(const tidemark_sink* sink, const char* name, tidemark_error* error,
                                Body body) {
  PluginSink& self = SinkOf(sink);
  ErrorPlace place;
  absl::Status status = self.CheckCaller(name);
  if (status.ok()) {
    status = body(self, &place);
    if (!status.ok()) self.Note(status, place);
  }
  return FillError(status, place, error);
}

PluginSink::PluginSink(PluginTables* tables, ResponseStream* stream,
                       AcknowledgedCheckpoint* acknowledged)
    : PluginSink(tables, stream, acknowledged, std::nullopt) {}

PluginSink::PluginSink(PluginTables* tables, ResponseStream* stream,
                       AcknowledgedCheckpoint* acknowledged, std::optional<uint32_t> read_table)
    : sink_{},
      tables_(tables),
      stream_(stream),
      acknowledged_(acknowledged),
      read_table_(read_table) {
  sink_.struct_size = sizeof(sink_);
  sink_.ctx = this;
  sink_.emit = [](const tidemark_sink* sink, const tidemark_batch* batch, tidemark_error* error) {
    return Enter(sink, "emit", error,
                 [&](PluginSink& s, ErrorPlace* place) { return s.Emit(batch, place); });
  };
  sink_.checkpoint = [](const tidemark_sink* sink, const tidemark_checkpoint* checkpoint,
                        uint64_t* id, tidemark_error* error) {
    return Enter(sink, "checkpoint", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.Checkpoint(checkpoint, id); });
  };
  sink_.define_table = [](const tidemark_sink* sink, const tidemark_table* table, uint32_t* index,
                          tidemark_error* error) {
    return Enter(sink, "define_table", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.DefineTable(table, index); });
  };
  sink_.dead_letter = [](const tidemark_sink* sink, const tidemark_dead_letter* letter,
                         tidemark_error* error) {
    return Enter(sink, "dead_letter", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.DeadLetter(letter); });
  };
  sink_.table_done = [](const tidemark_sink* sink, uint32_t table, tidemark_code code,
                        tidemark_bytes reason, tidemark_error* error) {
    return Enter(sink, "table_done", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.TableDone(table, code, reason); });
  };
  sink_.warn = [](const tidemark_sink* sink, uint32_t table, tidemark_bytes text,
                  tidemark_error* error) {
    return Enter(sink, "warn", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.Warn(table, text); });
  };
  sink_.flush = [](const tidemark_sink* sink, tidemark_error* error) {
    return Enter(sink, "flush", error, [](PluginSink& s, ErrorPlace*) { return s.Flush(); });
  };
  sink_.durable = [](const tidemark_sink* sink) { return SinkOf(sink).acknowledged_->durable(); };
  sink_.wait = [](const tidemark_sink* sink, uint64_t id, int64_t timeout_us,
                  tidemark_error* error) {
    return Enter(sink, "wait", error,
                 [&](PluginSink& s, ErrorPlace*) { return s.Wait(id, timeout_us); });
  };
}

void PluginSink::Begin() { caller_.store(std::this_thread::get_id()); }

void PluginSink::End() { caller_.store(std::thread::id()); }

absl::Status PluginSink::CheckCaller(const char* name) {
  const std::thread::id caller = caller_.load();
  if (caller == std::thread::id()) {
    return absl::FailedPreconditionError(
        absl::StrCat("plugin misbehaved: ", name, " outside update()"));
  }
  if (caller != std::this_thread::get_id()) {
    const std::string text = absl::StrCat("plugin misbehaved: ", name, " from another thread");
    MutexLock lock(mutex_);
    failure_.Update(absl::InternalError(text));
    return absl::FailedPreconditionError(text);
  }
  if (acknowledged_->cancelled()) return Cancelled();
  MutexLock lock(mutex_);
  if (failure_.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("nothing is accepted after an error: ", failure_.message()));
}

void PluginSink::Note(const absl::Status& status, const ErrorPlace& place) {
  // Neither says that the plugin did something wrong.
  if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) return;
  MutexLock lock(mutex_);
  if (!failure_.ok()) return;
  failure_ = status;
  failure_place_ = place;
}

absl::Status PluginSink::failure() {
  MutexLock lock(mutex_);
  return failure_;
}

std::vector<TableRows> PluginSink::sent() const { return Counted(rows_sent_); }

absl::Status PluginSink::Send(const v1::UpdateResponse& response) {
  if (const size_t bytes = response.ByteSizeLong(); bytes > kMaxMessageBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message of ", bytes, " bytes, at most ", kMaxMessageBytes));
  }
  return stream_->Send(response) ? absl::OkStatus() : Cancelled();
}

absl::Status PluginSink::RefuseInRead(const char* name) const {
  if (!read_table_.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("plugin misbehaved: ", name, " in read(), which only reads rows"));
}

absl::Status PluginSink::CheckReadRows(const tidemark_batch& batch, ErrorPlace* place) const {
  if (!read_table_.has_value()) return absl::OkStatus();
  if (batch.table != *read_table_) {
    return Misbehaved(absl::StrCat("read() was asked for table ",
                                   QualifiedName(tables_->at(*read_table_)), " and emits rows of ",
                                   QualifiedName(tables_->at(batch.table))));
  }
  for (uint32_t row = 0; row < batch.row_count; ++row) {
    if ((batch.ops[row] & ~uint32_t{TIDEMARK_ON_ERROR_CONTINUE}) == TIDEMARK_UPSERT) continue;
    place->row = row;
    return Misbehaved("read() emits another change than an upsert");
  }
  return absl::OkStatus();
}

absl::Status PluginSink::CheckTable(uint32_t table, bool may_be_none) const {
  if (table < tables_->size() || (may_be_none && table == TIDEMARK_NO_TABLE)) {
    return absl::OkStatus();
  }
  return Misbehaved(
      absl::StrCat("table ", table, " is unknown, there are ", tables_->size(), " tables"));
}

absl::Status PluginSink::Emit(const tidemark_batch* batch, ErrorPlace* place) {
  absl::Status status = BatchPacker::CheckStructure(batch, tables_->size(), [&](uint32_t table) {
    return static_cast<uint32_t>(tables_->at(table).columns.size());
  });
  if (!status.ok()) return status;
  if (absl::Status s = Failpoint("plugin.rows"); !s.ok()) return s;
  place->table = batch->table;
  if (absl::Status read = CheckReadRows(*batch, place); !read.ok()) return read;
  status = packer_.Pack(
      *batch, [&](const v1::UpdateResponse& message) { return stream_->Send(message); }, place);
  if (!status.ok()) {
    if (absl::IsCancelled(status)) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(), " (table ",
                                                    QualifiedName(tables_->at(batch->table)), ")"));
  }
  CountRows(batch->table, batch->row_count);
  return absl::OkStatus();
}

void PluginSink::CountRows(uint32_t table, uint32_t rows) {
  if (rows_sent_.size() <= table) {
    rows_sent_.resize(table + size_t{1});
    rows_since_last_.resize(table + size_t{1});
  }
  rows_sent_[table] += rows;
  rows_since_last_[table] += rows;
}

absl::Status PluginSink::Checkpoint(const tidemark_checkpoint* checkpoint, uint64_t* id) {
  if (absl::Status refused = RefuseInRead("checkpoint"); !refused.ok()) return refused;
  absl::StatusOr<std::vector<StateEntry>> states = ReadStates(checkpoint);
  if (!states.ok()) return states.status();
  if (absl::Status warned = WarnOfLargeStates(*states); !warned.ok()) return warned;
  tidemark::Checkpoint given;
  given.id = last_checkpoint_.load(std::memory_order_relaxed) + 1;
  given.states = *std::move(states);
  given.rows_since_last = Counted(rows_since_last_);
  if (absl::Status s = Failpoint("plugin.checkpoint"); !s.ok()) return s;
  v1::UpdateResponse response;
  CheckpointToMessage(given, response.mutable_checkpoint());
  // Before it is sent: its acknowledgement may arrive at once.
  last_checkpoint_.store(given.id, std::memory_order_release);
  if (absl::Status sent = Send(response); !sent.ok()) return sent;
  PassFailpoint("plugin.checkpoint_sent");
  std::fill(rows_since_last_.begin(), rows_since_last_.end(), 0);
  if (id != nullptr) *id = given.id;
  return absl::OkStatus();
}

absl::Status PluginSink::WarnOfLargeStates(const std::vector<StateEntry>& states) {
  for (const StateEntry& entry : states) {
    const std::string name = entry.connection_wide() ? "of the connection" : EntryName(entry);
    if (entry.body.size() <= kLargeStateBytes || !large_states_.insert(name).second) continue;
    v1::UpdateResponse response;
    response.mutable_warning()->set_table(TIDEMARK_NO_TABLE);
    response.mutable_warning()->set_text(absl::StrCat(
        "the state ", name, " has grown above ", kLargeStateBytes,
        " bytes; it is written with every commit, and refused above ", kMaxStateBytes));
    if (absl::Status sent = Send(response); !sent.ok()) return sent;
  }
  return absl::OkStatus();
}

absl::Status PluginSink::DefineTable(const tidemark_table* table, uint32_t* index) {
  absl::StatusOr<TableSchema> given = ReadTable(table);
  if (!given.ok()) return given.status();
  absl::StatusOr<PluginTables::Defined> defined = tables_->Define(*given);
  if (!defined.ok()) return defined.status();
  if (index != nullptr) *index = defined->index;
  if (!defined->changed) return absl::OkStatus();
  v1::UpdateResponse response;
  response.mutable_table_definition()->set_index(defined->index);
  TableToMessage(tables_->at(defined->index), response.mutable_table_definition()->mutable_table());
  return Send(response);
}

absl::Status PluginSink::DeadLetter(const tidemark_dead_letter* letter) {
  if (letter == nullptr || !TIDEMARK_HAS(tidemark_dead_letter, letter, context_json)) {
    return Misbehaved("tidemark_dead_letter is NULL or too small");
  }
  if (absl::Status flags = CheckFlags("tidemark_dead_letter.flags", letter->flags); !flags.ok()) {
    return flags;
  }
  if (absl::Status known = CheckTable(letter->table, true); !known.ok()) return known;
  const std::pair<absl::string_view, const tidemark_bytes*> given[] = {
      {"tidemark_dead_letter.record_json", &letter->record_json},
      {"tidemark_dead_letter.key_json", &letter->key_json},
      {"tidemark_dead_letter.reason", &letter->reason},
      {"tidemark_dead_letter.context_json", &letter->context_json}};
  std::string texts[4];
  for (size_t i = 0; i < 4; ++i) {
    absl::StatusOr<absl::string_view> text = ReadBytes(given[i].first, *given[i].second);
    if (!text.ok()) return text.status();
    texts[i] = MessageText(*text);  // what the source sent, garbage or not
  }
  v1::UpdateResponse response;
  v1::DeadLetter* message = response.mutable_dead_letter();
  message->set_table(letter->table);
  message->set_code(static_cast<int32_t>(CodeFromNumber(letter->code)));
  message->set_record_json(std::move(texts[0]));
  message->set_key_json(std::move(texts[1]));
  message->set_reason(std::move(texts[2]));
  message->set_context_json(std::move(texts[3]));
  return Send(response);
}

absl::Status PluginSink::TableDone(uint32_t table, tidemark_code code, tidemark_bytes reason) {
  if (absl::Status refused = RefuseInRead("table_done"); !refused.ok()) return refused;
  if (absl::Status known = CheckTable(table, false); !known.ok()) return known;
  absl::StatusOr<absl::string_view> text = ReadBytes("the reason of table_done", reason);
  if (!text.ok()) return text.status();
  v1::UpdateResponse response;
  response.mutable_table_done()->set_table(table);
  response.mutable_table_done()->set_code(static_cast<int32_t>(CodeFromNumber(code)));
  response.mutable_table_done()->set_reason(StatusText(*text));
  return Send(response);
}

absl::Status PluginSink::Warn(uint32_t table, tidemark_bytes given) {
  if (absl::Status known = CheckTable(table, true); !known.ok()) return known;
  absl::StatusOr<absl::string_view> text = ReadBytes("the text of warn", given);
  if (!text.ok()) return text.status();
  v1::UpdateResponse response;
  response.mutable_warning()->set_table(table);
  response.mutable_warning()->set_text(StatusText(*text));
  return Send(response);
}

absl::Status PluginSink::Flush() {
  if (absl::Status refused = RefuseInRead("flush"); !refused.ok()) return refused;
  v1::UpdateResponse response;
  response.mutable_flush();
  return Send(response);
}

absl::Status PluginSink::Wait(uint64_t id, int64_t timeout_us) {
  if (id > last_checkpoint_.load(std::memory_order_relaxed)) {
    return Misbehaved(
        absl::StrCat("wait for checkpoint ", id, ", the last one is ", last_checkpoint()));
  }
  absl::Duration left = timeout_us < 0 ? absl::InfiniteDuration() : absl::Microseconds(timeout_us);
  for (;;) {
    const absl::Duration step = std::min(left, kSignOfLife);
    switch (acknowledged_->Wait(id, step)) {
      case AcknowledgedCheckpoint::Outcome::kReached:
        return absl::OkStatus();
      case AcknowledgedCheckpoint::Outcome::kCancelled:
        return Cancelled();
      case AcknowledgedCheckpoint::Outcome::kTimeout:
        break;
    }
    left -= step;
    if (left <= absl::ZeroDuration()) break;
    v1::Progress waiting;
    waiting.set_table(TIDEMARK_NO_TABLE);
    waiting.set_phase("waiting");
    stream_->Progress(waiting);
  }
  if (id == 0) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("checkpoint ", id, " was not committed within ",
                   absl::FormatDuration(absl::Microseconds(timeout_us))));
}

}  // namespace tidemark
