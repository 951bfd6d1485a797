// A transaction of the catalog that ends with the block it stands in.
#ifndef TIDEMARK_ACCESS_CATALOG_TRANSACTION_H_
#define TIDEMARK_ACCESS_CATALOG_TRANSACTION_H_

#include "absl/status/status.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// Rolls back unless Commit() succeeded. Confined to the holder of the catalog's mutex.
class CatalogTransaction {
 public:
  // REQUIRES: no transaction is open.
  explicit CatalogTransaction(SqliteConnection& catalog)
      : catalog_(catalog), begun_(catalog.Run("BEGIN IMMEDIATE")) {}
  ~CatalogTransaction() {
    if (!catalog_.autocommit()) catalog_.Run("ROLLBACK").IgnoreError();
  }
  CatalogTransaction(const CatalogTransaction&) = delete;
  CatalogTransaction& operator=(const CatalogTransaction&) = delete;

  const absl::Status& begun() const { return begun_; }
  absl::Status Commit() { return catalog_.Run("COMMIT"); }

 private:
  SqliteConnection& catalog_;
  const absl::Status begun_;
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_CATALOG_TRANSACTION_H_
