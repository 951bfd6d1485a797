#include "tests/service/push_connection.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/change_batch.h"
#include "google/rpc/error_details.pb.h"
#include "wire/row_codec.h"

namespace tidemark::test {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

std::optional<google::rpc::ErrorInfo> InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) return info;
  }
  return std::nullopt;
}

}  // namespace

PushConnection::PushConnection(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& token)
    : stub_(v1::Ingest::NewStub(channel)), stream_([this, &token] {
        if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
        return stub_->Push(&context_);
      }()) {
  reader_ = std::thread([this] { ReadAll(); });
}

PushConnection::~PushConnection() {
  Cut();
  reader_.join();
}

bool PushConnection::SendStart(const std::string& connection, const std::string& producer,
                               v1::CheckpointMode mode) {
  v1::PushRequest request;
  request.mutable_start()->set_connection(connection);
  request.mutable_start()->set_producer(producer);
  request.mutable_start()->set_checkpoints(mode);
  return Send(request);
}

void PushConnection::ReadAll() {
  v1::PushResponse response;
  while (stream_->Read(&response)) {
    MutexLock lock(mutex_);
    switch (response.response_case()) {
      case v1::PushResponse::kStarted:
        started_ = response.started();
        acknowledged_.set_sequence(response.started().durable_sequence());
        break;
      case v1::PushResponse::kAcknowledged:
        acknowledged_ = response.acknowledged();
        break;
      case v1::PushResponse::kRowError:
        row_errors_.push_back(response.row_error());
        break;
      case v1::PushResponse::kWarning:
        warnings_.push_back(response.warning().text());
        break;
      case v1::PushResponse::kEnded:
        ended_ = response.ended();
        break;
      case v1::PushResponse::RESPONSE_NOT_SET:
        break;
    }
    changed_.SignalAll();
  }
  grpc::Status status = stream_->Finish();
  MutexLock lock(mutex_);
  status_ = std::move(status);
  changed_.SignalAll();
}

bool PushConnection::Await(const std::function<bool()>& met) {
  const absl::Time until = absl::Now() + kPatience;
  MutexLock lock(mutex_);
  while (!met()) {
    const absl::Duration left = until - absl::Now();
    if (status_.has_value() || left <= absl::ZeroDuration()) return met();
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

std::optional<v1::Started> PushConnection::AwaitStarted() {
  Await([this] { return started_.has_value(); });
  MutexLock lock(mutex_);
  return started_;
}

bool PushConnection::AwaitAcknowledged(uint64_t sequence) {
  return Await([this, sequence] { return acknowledged_.sequence() >= sequence; });
}

bool PushConnection::AwaitWarning(const std::string& part) {
  return Await([this, &part] {
    for (const std::string& warning : warnings_) {
      if (absl::StrContains(warning, part)) return true;
    }
    return false;
  });
}

bool PushConnection::AwaitRowErrors(size_t count) {
  return Await([this, count] { return row_errors_.size() >= count; });
}

grpc::Status PushConnection::AwaitEnd() {
  Await([this] { return status_.has_value(); });
  MutexLock lock(mutex_);
  return status_.value_or(grpc::Status(grpc::StatusCode::UNKNOWN, "the call has not ended"));
}

bool PushConnection::over() const {
  MutexLock lock(mutex_);
  return status_.has_value();
}

uint64_t PushConnection::acknowledged() const {
  MutexLock lock(mutex_);
  return acknowledged_.sequence();
}

int64_t PushConnection::state_version() const {
  MutexLock lock(mutex_);
  return acknowledged_.state_version();
}

std::vector<v1::RowError> PushConnection::row_errors() const {
  MutexLock lock(mutex_);
  return row_errors_;
}

std::optional<v1::Ended> PushConnection::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

std::string Reason(const grpc::Status& status) {
  const std::optional<google::rpc::ErrorInfo> info = InfoOf(status);
  return info.has_value() ? info->reason() : "";
}

std::map<std::string, std::string> Facts(const grpc::Status& status) {
  std::map<std::string, std::string> facts;
  if (const std::optional<google::rpc::ErrorInfo> info = InfoOf(status)) {
    for (const auto& [name, value] : info->metadata()) facts[name] = value;
  }
  return facts;
}

v1::PushRequest TableRequest(uint32_t index, const std::string& name) {
  v1::PushRequest request;
  request.mutable_table()->set_index(index);
  v1::Table* table = request.mutable_table()->mutable_table();
  table->set_name(name);
  v1::Column* id = table->add_columns();
  id->set_name("id");
  id->set_type(v1::DATA_TYPE_LONG);
  id->set_key(true);
  v1::Column* text = table->add_columns();
  text->set_name("name");
  text->set_type(v1::DATA_TYPE_STRING);
  return request;
}

v1::PushRequest RowsRequest(uint64_t sequence, const std::string& table, int64_t first,
                            int64_t count, const std::string& text) {
  v1::PushRequest request;
  request.set_sequence(sequence);
  request.mutable_rows();
  for (int64_t id = first; id < first + count; ++id) {
    v1::Row* row = request.mutable_rows()->add_rows();
    row->set_table(table);
    (*row->mutable_values())["id"].set_int64(id);
    (*row->mutable_values())["name"].set_string(absl::StrCat(text, id));
  }
  return request;
}

v1::PushRequest BatchRequest(uint64_t sequence, uint32_t table, int64_t first, int64_t count,
                             const std::string& text) {
  v1::PushRequest request;
  request.set_sequence(sequence);
  v1::RowBatch* batch = request.mutable_row_batch();
  batch->set_table(table);
  batch->set_row_count(static_cast<uint32_t>(count));
  batch->set_column_count(2);
  batch->set_ops(std::string(static_cast<size_t>(count), static_cast<char>(ChangeKind::kUpsert)));
  for (int64_t id = first; id < first + count; ++id) {
    EncodeValue(Value::Int64(id), batch->mutable_rows());
    EncodeValue(Value::String(absl::StrCat(text, id)), batch->mutable_rows());
  }
  return request;
}

v1::PushRequest CheckpointRequest(uint64_t sequence, const std::string& state) {
  v1::PushRequest request;
  request.set_sequence(sequence);
  request.mutable_checkpoint()->set_state(state);
  return request;
}

}  // namespace tidemark::test
