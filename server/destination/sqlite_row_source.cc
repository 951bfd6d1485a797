#include "destination/sqlite_row_source.h"

#include "absl/strings/str_cat.h"
#include "destination/sqlite_dialect.h"

namespace tidemark {

struct SqliteRowSource::Module {
  struct Table {
    sqlite3_vtab base;
    SqliteRowSource* source;
  };

  static SqliteRowSource& Of(sqlite3_vtab_cursor* cursor) {
    return *reinterpret_cast<Table*>(cursor->pVtab)->source;
  }

  static int Connect(sqlite3* db, void* source, int, const char* const*, sqlite3_vtab** table,
                     char**) {
    SqliteRowSource* const self = static_cast<SqliteRowSource*>(source);
    std::string sql = "CREATE TABLE x(";
    for (size_t i = 0; i < self->columns_.size(); ++i) {
      absl::StrAppend(&sql, i == 0 ? "" : ", ", ColumnName(i));
    }
    const int code = sqlite3_declare_vtab(db, absl::StrCat(sql, ")").c_str());
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    Table* made = new Table{};
    made->source = self;
    *table = &made->base;
    return SQLITE_OK;
  }
  static int Disconnect(sqlite3_vtab* table) {
    delete reinterpret_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int BestIndex(sqlite3_vtab*, sqlite3_index_info* index) {
    index->estimatedCost = 1000;
    return SQLITE_OK;
  }
  static int Open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = new sqlite3_vtab_cursor{};
    return SQLITE_OK;
  }
  static int Close(sqlite3_vtab_cursor* cursor) {
    delete cursor;
    return SQLITE_OK;
  }
  static int Filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    SqliteRowSource& self = Of(cursor);
    sqlite3_set_last_insert_rowid(self.db_, kInsertSentinel);
    return SQLITE_OK;
  }
  // Called when the row shown before has been written, or left alone.
  static int Next(sqlite3_vtab_cursor* cursor) {
    SqliteRowSource& self = Of(cursor);
    ++self.next_;
    if (sqlite3_last_insert_rowid(self.db_) != kInsertSentinel) {
      ++self.inserted_;
      sqlite3_set_last_insert_rowid(self.db_, kInsertSentinel);
    }
    return SQLITE_OK;
  }
  static int Eof(sqlite3_vtab_cursor* cursor) {
    const SqliteRowSource& self = Of(cursor);
    return self.next_ >= self.end_ ? 1 : 0;
  }
  static int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
    SqliteRowSource& self = Of(cursor);
    const size_t index = static_cast<size_t>(column);
    const size_t source = self.columns_[index].source;
    if (source >= self.batch_->column_count) return SQLITE_OK;  // NULL
    self.binder_.Show(context, self.batch_->values[self.next_ * self.batch_->column_count + source],
                      index);
    return SQLITE_OK;
  }
  static int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
    *row = static_cast<sqlite3_int64>(Of(cursor).next_);
    return SQLITE_OK;
  }

  static const sqlite3_module* Callbacks() {
    static constexpr sqlite3_module kModule = [] {
      sqlite3_module module{};
      module.xConnect = Connect;  // no xCreate: nobody can make another one
      module.xDisconnect = Disconnect;
      module.xBestIndex = BestIndex;
      module.xOpen = Open;
      module.xClose = Close;
      module.xFilter = Filter;
      module.xNext = Next;
      module.xEof = Eof;
      module.xColumn = Column;
      module.xRowid = RowId;
      return module;
    }();
    return &kModule;
  }
};

SqliteRowSource::SqliteRowSource(SqliteConnection& connection,
                                 const std::vector<SqliteRowBinder::Column>& columns,
                                 SqliteRowBinder& binder)
    : db_(connection.db()), columns_(columns), binder_(binder) {
  module_ = absl::StrCat("_tidemark_rows_", absl::Hex(reinterpret_cast<uintptr_t>(this)));
  name_ = QuoteIdentifier(module_);
}

absl::StatusOr<std::unique_ptr<SqliteRowSource>> SqliteRowSource::Create(
    SqliteConnection& connection, const std::vector<SqliteRowBinder::Column>& columns,
    SqliteRowBinder& binder) {
  std::unique_ptr<SqliteRowSource> source(new SqliteRowSource(connection, columns, binder));
  if (sqlite3_create_module_v2(connection.db(), source->module_.c_str(), Module::Callbacks(),
                               source.get(), nullptr) != SQLITE_OK) {
    return connection.Error();
  }
  return source;
}

SqliteRowSource::~SqliteRowSource() {
  sqlite3_create_module_v2(db_, module_.c_str(), nullptr, nullptr, nullptr);
}

std::string SqliteRowSource::ColumnName(size_t column) { return absl::StrCat("c", column); }

void SqliteRowSource::Show(const ChangeBatch& batch, size_t first, size_t end) {
  batch_ = &batch;
  first_ = first;
  next_ = first;
  end_ = end;
  inserted_ = 0;
}

}  // namespace tidemark
