#include "tests/state/local_stores.h"

namespace tidemark {
namespace {

StoreUnderTest SqliteStore() {
  return {"Sqlite", [] { return std::make_unique<SqliteStorePlace>(); }};
}
StoreUnderTest FileStore() {
  return {"Files", [] { return std::make_unique<FileStorePlace>(); }};
}

INSTANTIATE_TEST_SUITE_P(Local, StateStoreConformanceTest,
                         testing::Values(SqliteStore(), FileStore()), StoreUnderTestName);

}  // namespace
}  // namespace tidemark
