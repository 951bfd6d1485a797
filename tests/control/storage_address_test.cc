// What state.storage means, and that its secrets stay inside.
#include "control/storage_address.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/connection.h"
#include "control/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<Connection> Load(const std::string& state) {
  return ParseConnection("f.yaml", "/folder",
                         absl::StrCat("{sync: {source: {connector: rest}, destination: "
                                      "{connection: w.db}}, state: {",
                                      state, "}}"),
                         [](const std::string&) { return std::nullopt; });
}

TEST(StorageAddressTest, TypeAndConnectionNameTheStore) {
  struct Case {
    const char* storage;
    StorageKind kind;
    const char* path;
    const char* address;
  };
  for (const Case& c : {
           Case{"type: destination", StorageKind::kDestination, "", ""},
           Case{"type: sqlite, connection: s.db", StorageKind::kSqlite, "/folder/s.db", ""},
           Case{"type: sqlite, connection: \"sqlite:///s.db\"", StorageKind::kSqlite, "/s.db", ""},
           Case{"type: database, connection: s.db", StorageKind::kSqlite, "/folder/s.db", ""},
           Case{"type: file, connection: /state", StorageKind::kFile, "/state", ""},
           Case{"type: database, connection: \"postgresql://h/d\"", StorageKind::kPostgres, "",
                "postgresql://h/d"},
           Case{"type: postgres, connection: \"host=h dbname=d\"", StorageKind::kPostgres, "",
                "host=h dbname=d"},
           Case{"type: redis, connection: \"redis://h:1/2\"", StorageKind::kRedis, "",
                "redis://h:1/2"},
           Case{"type: redis, connection: \"unix:/s.sock?db=1\"", StorageKind::kRedis, "",
                "unix:/s.sock?db=1"},
       }) {
    SCOPED_TRACE(c.storage);
    const auto connection = Load(absl::StrCat("storage: {", c.storage, "}"));
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_EQ(connection->storage.kind, c.kind);
    EXPECT_EQ(connection->storage.path, c.path);
    EXPECT_EQ(connection->storage.address, c.address);
  }
}

TEST(StorageAddressTest, WhatCannotBeIsRefusedAtItsKeyWithoutRepeatingIt) {
  struct Case {
    const char* state;
    const char* problem;
  };
  for (const Case& c : {
           Case{"storage: {type: redis}", "type redis needs it"},
           Case{"storage: {type: file, connection: \"redis://s3cret\"}", "path of a folder"},
           Case{"storage: {type: sqlite, connection: \"https://s3cret\"}", "path of a file"},
           Case{"storage: {type: sqlite, connection: w.db}", "this is the destination"},
           Case{"storage: {type: postgres, connection: \"redis://s3cret\"}", "no address for type"},
           Case{"storage: {type: redis, connection: \"rediss://:s3cret@h\"}", "not built yet"},
           Case{"storage: {type: redis, connection: \"s3cret\"}", "expected"},
           Case{"storage: {type: postgres, connection: \"postgresql://u:s3cret@x@h\"}",
                "percent-encoded"},
           Case{"storage: {type: redis, connection: \"redis://h\", lease: 10 ms}", "1 second"},
           Case{"recovery: {on_checkpoint_failure: warn}", "state.storage.type"},
       }) {
    SCOPED_TRACE(c.state);
    const auto connection = Load(c.state);
    ASSERT_FALSE(connection.ok());
    EXPECT_TRUE(IsUsage(connection.status()));
    EXPECT_THAT(std::string(connection.status().message()), HasSubstr(c.problem));
    EXPECT_THAT(std::string(connection.status().message()), Not(HasSubstr("s3cret")));
  }
}

TEST(StorageAddressTest, TheAddressIsASecret) {
  const auto connection =
      Load("storage: {type: redis, connection: \"redis://me:s3cret@h\", lease: 9 s}");
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_THAT(connection->secrets, Contains(connection->storage.address));
  EXPECT_THAT(connection->secrets, Contains("s3cret"));
  EXPECT_THAT(ConnectionJson(*connection).dump(), Not(HasSubstr("s3cret")));
  EXPECT_EQ(connection->storage.lease, absl::Seconds(9));
}

TEST(StorageAddressTest, OnlyAnAddressWithAPasswordIsHidden) {
  StorageSettings storage;
  for (const char* open : {"redis://h:1", "unix:/s.sock", "postgresql://me@h/d", "host=h"}) {
    storage.address = open;
    EXPECT_TRUE(StorageSecrets(storage).empty()) << open;
  }
  for (const char* closed : {"redis://:s3cret@h:1", "unix:/s.sock?password=s3cret",
                             "postgresql://me:s3cret@h/d", "postgresql://h/d?password=s3cret",
                             "host=h password=s3cret dbname=d", "password = 's3cret' host=h"}) {
    storage.address = closed;
    EXPECT_THAT(StorageSecrets(storage), Contains("s3cret")) << closed;
  }
}

}  // namespace
}  // namespace tidemark
