// What the tests of stores on servers share: appends made by hand, and a history read whole.
#ifndef TIDEMARK_TESTS_STATE_SERVER_STORES_H_
#define TIDEMARK_TESTS_STATE_SERVER_STORES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "state/chain_verifier.h"
#include "state/next_version.h"
#include "state/state_store.h"

namespace tidemark {

inline StateHead HeadOf(StateStore& store, const std::string& entry) {
  auto heads = store.Heads();
  StateHead none;
  none.entry = entry;
  if (!heads.ok()) return none;
  for (const StateHead& head : *heads) {
    if (head.entry == entry) return head;
  }
  return none;
}

inline VersionAppend Next(const std::string& connection, const StateHead& head,
                          const std::string& body, int64_t epoch) {
  NextVersion next;
  next.state.table = head.entry;
  next.state.body = body;
  next.state.cursor = body.substr(0, 20);
  next.epoch = epoch;
  next.now_us = 1'700'000'000'000'000;
  next.group_id = absl::StrCat("group of ", body.substr(0, 20));
  next.engine = "tidemark test";
  return AppendAfter(connection, head, next);
}

inline absl::Status AppendOne(StateStore& store, const VersionAppend& append) {
  return store.Append(absl::MakeConstSpan(&append, 1), {});
}

// The bodies of an entry, oldest first, after its chain was verified up to its head.
inline std::vector<std::string> Bodies(StateStore& store, const std::string& entry) {
  const StateHead head = HeadOf(store, entry);
  ChainVerifier verifier(head.anchor);
  std::vector<std::string> bodies;
  VersionQuery query;
  query.entry = entry;
  const absl::Status read = store.ReadVersions(query, [&](StoredVersion& stored) {
    EXPECT_TRUE(stored.readable.ok()) << stored.readable;
    bodies.push_back(stored.version.body);
    return verifier.Add(stored.version);
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(verifier.last_version(), head.version);
  EXPECT_EQ(verifier.last_chain(), head.chain);
  return bodies;
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_SERVER_STORES_H_
