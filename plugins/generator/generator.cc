// Emits rows that follow from a seed: for benchmarks, kill tests and demonstrations.
// README.md describes the order of changes and the state.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "generator/ledger.h"
#include "generator/rows.h"
#include "tidemark/connector.h"

namespace {

using tidemark::Config;
using tidemark::Sink;
using tidemark::TableRef;
using tidemark::UpdateRequest;
using tidemark::Value;

// How far behind the new rows an update and a delete of an earlier row come.
constexpr uint64_t kUpdateLag = 5;
constexpr uint64_t kDeleteLag = 8;
constexpr int64_t kUpdateDelayUs = 86'400'000'000;  // an update is later than its row
constexpr uint64_t kPurposeUpdate = 1;
constexpr uint64_t kPurposeDelete = 2;
constexpr uint64_t kMaxVariant = 10'000;  // days after the first one

struct Options {
  uint64_t count = 0;
  uint64_t seed = 0;
  bool shuffled = false;
  uint64_t checkpoint_interval = 0;
  double update_share = 0;
  double delete_share = 0;
  std::string table;
  uint64_t tables = 1;
  bool state_per_table = false;
  uint64_t variant = 0;
  uint64_t pass = 0;
  absl::Duration pause;
  uint64_t rate = 0;
};

// Holds a continuous update down to a number of rows per second.
class Pace {
 public:
  // A rate of 0 holds nothing.
  explicit Pace(uint64_t rate) : rate_(rate), begin_(absl::Now()) {}

  // Whether it is time for a checkpoint and a pause after so many rows.
  bool Due(uint64_t rows) const {
    return rate_ > 0 && rows % std::max<uint64_t>(1, rate_ / 10) == 0;
  }
  // How long until `rows` may have been sent.
  absl::Duration Wait(uint64_t rows) const {
    const absl::Duration planned =
        absl::Seconds(static_cast<double>(rows) / static_cast<double>(rate_));
    return std::max(absl::ZeroDuration(), begin_ + planned - absl::Now());
  }

 private:
  const uint64_t rate_;
  const absl::Time begin_;
};

// A state body: "<position> <variant> <pass>". Of another variant or pass, it starts over.
absl::StatusOr<uint64_t> ParsePosition(absl::string_view body, const Options& options) {
  if (body.empty()) return 0;
  const std::vector<absl::string_view> parts = absl::StrSplit(body, ' ');
  uint64_t position = 0, variant = 0, pass = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &position) ||
      !absl::SimpleAtoi(parts[1], &variant) || !absl::SimpleAtoi(parts[2], &pass)) {
    return absl::DataLossError(
        "the state is not \"<position> <variant> <pass>\": damaged, or of another connector");
  }
  return variant == options.variant && pass == options.pass ? position : 0;
}

class Generator final : public tidemark::Connector,
                        public tidemark::Acknowledgeable,
                        public tidemark::RowReader,
                        public tidemark::StateValidator {
 public:
  Generator(Options options, std::unique_ptr<Ledger> ledger, tidemark::Host host)
      : options_(std::move(options)), ledger_(std::move(ledger)), host_(host) {}

  static absl::StatusOr<std::unique_ptr<Generator>> Create(const Config& config);
  absl::StatusOr<tidemark::Schema> Schema() override;
  absl::Status Update(const UpdateRequest& request, Sink& sink) override;
  void Acknowledged(const tidemark::Acknowledgement& acknowledgement) override;
  uint32_t ReadModes(const tidemark::Table&) override {
    return tidemark::kReadKeys | tidemark::kReadRanges;
  }
  absl::Status ReadRows(const tidemark::ReadRequest& request, Sink& sink) override;
  absl::Status ValidateState(absl::Span<const tidemark::StateEntry> entries) override;

 private:
  std::string TableName(uint64_t i) const {
    return options_.tables == 1 ? options_.table : absl::StrCat(options_.table, "_", i + 1);
  }
  int64_t Id(uint64_t position) const {
    return options_.shuffled ? generator_shuffled_id(options_.seed, position, options_.count)
                             : static_cast<int64_t>(position) + 1;
  }
  bool Chosen(uint64_t purpose, double share, uint64_t position, uint64_t lag) const {
    return share > 0 && position >= lag &&
           generator_share(options_.seed, purpose, position - lag) < share;
  }
  // The same, seen from the row at `position`: it happens where the positions reach so far.
  bool Happens(uint64_t purpose, double share, uint64_t position, uint64_t lag) const {
    return position + lag < options_.count && Chosen(purpose, share, position + lag, lag);
  }
  // Whether a checkpoint is due after this many positions of `end`.
  bool Due(uint64_t done, uint64_t end) const {
    const uint64_t interval = options_.checkpoint_interval;
    return done == end || (interval > 0 && done % interval == 0);
  }
  // Everything of one position of a table: its new row, and what happens to earlier ones.
  absl::Status EmitPosition(const TableRef& table, uint64_t position, Sink& sink) const;
  // The row as it stands when every position was emitted; false if it does not.
  absl::StatusOr<bool> EmitFinal(const TableRef& table, int64_t id, Sink& sink) const;
  absl::Status UpdateTables(const UpdateRequest& request, Sink& sink);
  absl::Status UpdateConnection(const UpdateRequest& request, Sink& sink);
  absl::Status Checkpoint(absl::string_view table, uint64_t position, Sink& sink);
  // Of a continuous update that has sent everything: waits until it is cancelled.
  static absl::Status StayIdle(Sink& sink);
  absl::Status LogStart(const UpdateRequest& request, uint64_t position) const;

  const Options options_;
  const std::unique_ptr<Ledger> ledger_;
  const tidemark::Host host_;
  uint64_t logged_durable_ = 0;  // [ack-thread]
};

absl::StatusOr<std::unique_ptr<Generator>> Generator::Create(const Config& config) {
  Options o;
  for (const char* name :
       {"count", "seed", "checkpoint_interval", "tables", "variant", "pass", "pause_us", "rate"}) {
    if (config.GetInt64(name) < 0) {
      return absl::InvalidArgumentError(absl::StrCat(name, " must not be negative"));
    }
  }
  const auto number = [&](const char* name) {
    return static_cast<uint64_t>(config.GetInt64(name));
  };
  o.count = number("count");
  o.seed = number("seed");
  o.checkpoint_interval = number("checkpoint_interval");
  o.tables = std::max<uint64_t>(1, number("tables"));
  o.variant = number("variant");
  o.pass = number("pass");
  o.rate = number("rate");
  o.shuffled = config.GetString("key_order") == "shuffled";
  o.state_per_table = config.GetString("state_as") == "tables";
  o.update_share = config.GetDouble("update_share");
  o.delete_share = config.GetDouble("delete_share");
  o.table = config.GetString("table");
  o.pause = absl::Microseconds(config.GetInt64("pause_us"));
  if (o.variant > kMaxVariant) {
    return absl::InvalidArgumentError(absl::StrCat("variant is at most ", kMaxVariant));
  }
  for (const double share : {o.update_share, o.delete_share}) {
    if (std::isnan(share) || share < 0 || share > 1) {
      return absl::InvalidArgumentError("update_share and delete_share are between 0 and 1");
    }
  }
  auto ledger = Ledger::Open(config.GetString("ledger_file"));
  if (!ledger.ok()) return ledger.status();
  return std::make_unique<Generator>(std::move(o), *std::move(ledger), config.host());
}

absl::StatusOr<tidemark::Schema> Generator::Schema() {
  tidemark::Schema schema;
  for (uint64_t i = 0; i < options_.tables; ++i) {
    schema.Add(tidemark::Table(TableName(i))
                   .Key("id", tidemark::kLong)
                   .Column("account", tidemark::kLong)
                   .Column("amount", tidemark::kDouble)
                   .Column("price", tidemark::kDecimal, {.precision = 12, .scale = 2})
                   .Column("active", tidemark::kBoolean)
                   .Column("code", tidemark::kString)
                   .Column("name", tidemark::kString)
                   .Column("updated_at", tidemark::kUtcDatetime)
                   .Column("day", tidemark::kNaiveDate)
                   .Column("payload", tidemark::kJson));
  }
  return schema;
}

absl::Status Generator::EmitPosition(const TableRef& table, uint64_t position, Sink& sink) const {
  generator_row row;
  generator_fill(options_.seed, options_.variant, Id(position), &row);
  const std::array<Value, 10> cells = {row.id,
                                       row.account,
                                       row.amount,
                                       Value::Decimal({row.price, row.price_size}),
                                       row.active != 0,
                                       absl::string_view(row.code, GENERATOR_CODE),
                                       absl::string_view(row.name, GENERATOR_NAME),
                                       Value::TimestampMicros(row.updated_at_us),
                                       Value::DateDays(row.day),
                                       Value::Json({row.payload, GENERATOR_PAYLOAD})};
  if (absl::Status s = sink.Upsert(table, cells); !s.ok()) return s;
  if (Chosen(kPurposeUpdate, options_.update_share, position, kUpdateLag)) {
    generator_fill(~options_.seed, options_.variant, Id(position - kUpdateLag), &row);
    const std::array<Value, 8> changed = {
        row.id,
        row.account,
        row.amount,
        Value::Unchanged(),
        Value::Unchanged(),
        Value::Unchanged(),
        absl::string_view(row.name, GENERATOR_NAME),
        Value::TimestampMicros(row.updated_at_us + kUpdateDelayUs)};
    if (absl::Status s = sink.Update(table, changed); !s.ok()) return s;
  }
  if (Chosen(kPurposeDelete, options_.delete_share, position, kDeleteLag)) {
    const std::array<Value, 1> key = {Id(position - kDeleteLag)};
    return sink.Delete(table, key);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Generator::EmitFinal(const TableRef& table, int64_t id, Sink& sink) const {
  if (id < 1 || static_cast<uint64_t>(id) > options_.count) return false;
  const uint64_t position = options_.shuffled
                                ? generator_shuffled_position(options_.seed, id, options_.count)
                                : static_cast<uint64_t>(id) - 1;
  if (Happens(kPurposeDelete, options_.delete_share, position, kDeleteLag)) return false;
  generator_row row;
  generator_fill(options_.seed, options_.variant, id, &row);
  generator_row changed = row;
  if (Happens(kPurposeUpdate, options_.update_share, position, kUpdateLag)) {
    generator_fill(~options_.seed, options_.variant, id, &changed);
    changed.updated_at_us += kUpdateDelayUs;
  }
  const std::array<Value, 10> cells = {row.id,
                                       changed.account,
                                       changed.amount,
                                       Value::Decimal({row.price, row.price_size}),
                                       row.active != 0,
                                       absl::string_view(row.code, GENERATOR_CODE),
                                       absl::string_view(changed.name, GENERATOR_NAME),
                                       Value::TimestampMicros(changed.updated_at_us),
                                       Value::DateDays(row.day),
                                       Value::Json({row.payload, GENERATOR_PAYLOAD})};
  if (absl::Status s = sink.Upsert(table, cells); !s.ok()) return s;
  return true;
}

absl::Status Generator::ReadRows(const tidemark::ReadRequest& request, Sink& sink) {
  absl::StatusOr<TableRef> table = sink.Find(request.table().name());
  if (!table.ok()) return table.status();
  const auto id_of = [](absl::Span<const Value> key, int64_t otherwise) {
    return key.empty() || key[0].kind() != TIDEMARK_INT64 ? otherwise : key[0].raw().u.i64;
  };
  for (size_t i = 0; i < request.key_count(); ++i) {
    auto emitted = EmitFinal(*table, id_of(request.key(i), 0), sink);
    if (!emitted.ok()) return emitted.status();
  }
  if (request.mode() == tidemark::kReadKeys) return absl::OkStatus();
  const auto count = static_cast<int64_t>(options_.count);
  const int64_t end = std::min(id_of(request.upper(), count + 1), count + 1);
  int64_t id = std::max<int64_t>(1, id_of(request.lower(), 1));
  for (uint64_t rows = 0; id < end && (request.limit() == 0 || rows < request.limit()); ++id) {
    const absl::StatusOr<bool> emitted = EmitFinal(*table, id, sink);
    if (!emitted.ok()) return emitted.status();
    if (*emitted) ++rows;
  }
  return absl::OkStatus();
}

absl::Status Generator::Checkpoint(absl::string_view table, uint64_t position, Sink& sink) {
  const std::string cursor = absl::StrCat(position);
  const std::string body = absl::StrCat(position, " ", options_.variant, " ", options_.pass);
  if (ledger_->enabled()) {
    absl::Status s =
        ledger_->Append(absl::StrCat("sent ", sink.last_checkpoint() + 1, " ", cursor));
    if (!s.ok()) return s;
  }
  const tidemark::NewState state = {table, body, cursor};
  if (absl::Status s = sink.CheckpointStates({&state, 1}); !s.ok()) return s;
  return options_.pause > absl::ZeroDuration() ? sink.Sleep(options_.pause) : absl::OkStatus();
}

absl::Status Generator::StayIdle(Sink& sink) {
  absl::Status status;
  while (status.ok()) status = sink.Sleep(absl::Hours(1));
  return status;
}

absl::Status Generator::LogStart(const UpdateRequest& request, uint64_t position) const {
  return ledger_->Append(
      absl::StrCat("start ", request.epoch(), " ", request.attempt(), " ", position));
}

// A state for each table; one table after the other.
absl::Status Generator::UpdateTables(const UpdateRequest& request, Sink& sink) {
  std::vector<uint64_t> starts(options_.tables, options_.count);
  uint64_t done = 0;
  for (uint64_t i = 0; i < options_.tables; ++i) {
    const tidemark::Mode mode = request.ModeOf(TableName(i));
    if (mode == tidemark::Mode::kSkip) continue;
    const absl::StatusOr<uint64_t> start = ParsePosition(request.State(TableName(i)), options_);
    if (!start.ok()) return start.status();
    starts[i] = mode == tidemark::Mode::kFull ? 0 : *start;
    done += starts[i];
  }
  if (absl::Status s = LogStart(request, done); !s.ok()) return s;
  const Pace pace(request.continuous() ? options_.rate : 0);
  uint64_t rows = 0;
  for (uint64_t i = 0; i < options_.tables; ++i) {
    const std::string name = TableName(i);
    if (!request.Selected(name)) continue;
    absl::StatusOr<TableRef> table = sink.Find(name);
    if (!table.ok()) return table.status();
    for (uint64_t p = starts[i]; p < options_.count; ++p) {
      if (absl::Status s = EmitPosition(*table, p, sink); !s.ok()) return s;
      const bool paced = pace.Due(++rows);
      if (!paced && !Due(p + 1, options_.count)) continue;
      if (absl::Status s = Checkpoint(name, p + 1, sink); !s.ok()) return s;
      if (!paced) continue;
      if (absl::Status s = sink.Sleep(pace.Wait(rows)); !s.ok()) return s;
    }
    if (request.continuous()) continue;
    if (absl::Status s = sink.TableDone(name); !s.ok()) return s;
  }
  return request.continuous() ? StayIdle(sink) : absl::OkStatus();
}

// One state for all; the tables take turns, row by row.
absl::Status Generator::UpdateConnection(const UpdateRequest& request, Sink& sink) {
  std::vector<std::optional<TableRef>> tables;
  bool full = true;
  for (uint64_t i = 0; i < options_.tables; ++i) {
    absl::StatusOr<TableRef> table = sink.Find(TableName(i));
    if (!table.ok()) return table.status();
    const bool selected = request.Selected(TableName(i));
    tables.push_back(selected ? std::optional<TableRef>(*table) : std::nullopt);
    full = full && (!selected || request.ModeOf(TableName(i)) == tidemark::Mode::kFull);
  }
  absl::StatusOr<uint64_t> start = ParsePosition(request.State(), options_);
  if (!start.ok()) return start.status();
  if (full) start = 0;
  if (absl::Status s = LogStart(request, *start); !s.ok()) return s;
  const uint64_t end = options_.count * options_.tables;
  const Pace pace(request.continuous() ? options_.rate : 0);
  uint64_t rows = 0;
  for (uint64_t p = *start; p < end; ++p) {
    const std::optional<TableRef>& table = tables[p % options_.tables];
    if (table.has_value()) {
      absl::Status s = EmitPosition(*table, p / options_.tables, sink);
      if (!s.ok()) return s;
    }
    const bool paced = pace.Due(++rows);
    if (!paced && !Due(p + 1, end)) continue;
    if (absl::Status s = Checkpoint("", p + 1, sink); !s.ok()) return s;
    if (!paced) continue;
    if (absl::Status s = sink.Sleep(pace.Wait(rows)); !s.ok()) return s;
  }
  return request.continuous() ? StayIdle(sink) : absl::OkStatus();
}

absl::Status Generator::Update(const UpdateRequest& request, Sink& sink) {
  return options_.state_per_table ? UpdateTables(request, sink) : UpdateConnection(request, sink);
}

void Generator::Acknowledged(const tidemark::Acknowledgement& acknowledgement) {
  if (!ledger_->enabled() || acknowledgement.durable == logged_durable_) return;
  logged_durable_ = acknowledgement.durable;
  absl::Status s = ledger_->Append(absl::StrCat("durable ", acknowledgement.durable));
  if (!s.ok()) host_.Log(tidemark::LogLevel::kError, s.message());
}

absl::Status Generator::ValidateState(absl::Span<const tidemark::StateEntry> entries) {
  for (const tidemark::StateEntry& entry : entries) {
    if (auto position = ParsePosition(entry.body, options_); !position.ok()) {
      return position.status();
    }
  }
  return absl::OkStatus();
}

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(
    Generator, .id = "generator", .version = "1.0.0",
    .description = "Rows made up from a seed, always the same",
    .capabilities = tidemark::kCanTableState | tidemark::kCanRewind | tidemark::kNeedsFiles,
    .options = {{"count", tidemark::kLong, tidemark::Default("1000"), "rows of each table"},
                {"seed", tidemark::kLong, tidemark::Default("1"), "what the values follow from"},
                {"key_order",
                 tidemark::kString,
                 tidemark::Default("ascending"),
                 "order in which keys are emitted",
                 {"ascending", "shuffled"}},
                {"checkpoint_interval", tidemark::kLong, tidemark::Default("10000"),
                 "rows between checkpoints; 0: only at the end"},
                {"update_share", tidemark::kDouble, tidemark::Default("0"),
                 "share of rows that are updated a little later, 0 to 1"},
                {"delete_share", tidemark::kDouble, tidemark::Default("0"),
                 "share of rows that are deleted a little later, 0 to 1"},
                {"table", tidemark::kString, tidemark::Default("rows"), "name of the table"},
                {"tables", tidemark::kLong, tidemark::Default("1"),
                 "number of tables; more than one are called NAME_1, NAME_2, ..."},
                {"state_as",
                 tidemark::kString,
                 tidemark::Default("connection"),
                 "one state for the connection, tables taking turns, or one for each table",
                 {"connection", "tables"}},
                {"variant", tidemark::kLong, tidemark::Default("0"),
                 "another variant: the same keys with other values, all emitted again"},
                {"pass", tidemark::kLong, tidemark::Default("0"),
                 "another pass: the same rows, all emitted again"},
                {"pause_us", tidemark::kLong, tidemark::Default("0"),
                 "pause after each checkpoint, in microseconds"},
                {"rate", tidemark::kLong, tidemark::Default("0"),
                 "rows per second while a sync goes on as changes arrive (realtime); 0: at once"},
                {"ledger_file", tidemark::kString, tidemark::kWritesPath,
                 "file that gets a synced line for each checkpoint sent and acknowledged"}});
