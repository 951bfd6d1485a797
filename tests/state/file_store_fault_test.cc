// What a FileStateStore does when a step of it fails, when the power goes, when its files are
// damaged, and when a holder that was overtaken wakes up.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>

#include "state/file_manifest.h"
#include "tests/state/faulty_files.h"
#include "tests/state/local_stores.h"

namespace tidemark {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StateStoreConformanceTest);

namespace {

OwnershipRequest Ask(bool take_over = false) {
  OwnershipRequest request;
  request.holder = "fault test";
  request.take_over = take_over;
  request.retention.versions = 4;
  request.horizon.newer_versions = 2;
  return request;
}

absl::StatusOr<StateHead> HeadOf(StateStore& store) {
  absl::StatusOr<std::vector<StateHead>> heads = store.Heads();
  if (!heads.ok()) return heads.status();
  StateHead head;
  head.table = "t";
  return heads->empty() ? head : (*heads)[0];
}

absl::Status Add(StateStore& store) {
  absl::StatusOr<StateHead> head = HeadOf(store);
  if (!head.ok()) return head.status();
  NextVersion next;
  next.state.table = "t";
  next.state.body = absl::StrCat("body ", head->version + 1);
  next.epoch = 1;
  const VersionAppend append = AppendAfter("c", *head, next);
  return store.Append({&append, 1}, {});
}

// The last version whose append was acknowledged; -1: the store is not what it must be.
int64_t Verify(const FileStorePlace& place) {
  FileStateStoreOptions options;
  options.read_only = true;
  auto store = *OpenFileStateStore(place.path(), "c", options);
  absl::StatusOr<StateHead> head = HeadOf(*store);
  if (absl::IsNotFound(head.status())) return 0;
  EXPECT_TRUE(head.ok()) << head.status();
  if (!head.ok()) return -1;
  ChainVerifier verifier(head->anchor);
  VersionQuery query;
  query.entry = "t";
  const absl::Status status = store->ReadVersions(query, [&](StoredVersion& stored) {
    EXPECT_EQ(absl::StrCat("body ", stored.version.version), stored.version.body);
    return verifier.Add(stored.version);
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(head->chain, verifier.last_chain());
  return status.ok() && head->version == verifier.last_version() ? head->version : -1;
}

struct Worked {
  int64_t acknowledged = 0;
  int64_t tried = 0;
};

// Takes the store and appends until something fails, or six times.
Worked Work(FileStorePlace& place, int64_t before) {
  Worked worked{before, before};
  auto store = *place.Open("c", nullptr);
  if (!store->Acquire(Ask()).ok()) return worked;
  for (int i = 0; i < 6; ++i) {
    ++worked.tried;
    if (!Add(*store).ok()) return worked;
    ++worked.acknowledged;
  }
  return worked;
}

TEST(FileStoreFaultTest, EveryStepMayFailOnceOrForGood) {
  for (const bool for_good : {false, true}) {
    int n = 1;
    for (bool hit = true; hit; ++n) {
      FaultyFiles files;
      FileStorePlace place(&files);
      ASSERT_EQ(6, Work(place, 0).acknowledged);
      files.fail_for_good = for_good;
      files.fail_at = files.calls() + n;
      const Worked worked = Work(place, 6);
      hit = files.hit();
      const int64_t found = Verify(place);
      EXPECT_GE(found, worked.acknowledged) << "call " << n << (for_good ? " for good" : "");
      EXPECT_LE(found, worked.tried) << "call " << n << (for_good ? " for good" : "");
      // The next start goes on from there, whatever was left behind.
      files.Heal();
      const Worked next = Work(place, found);
      EXPECT_EQ(found + 6, next.acknowledged) << "call " << n;
      EXPECT_EQ(found + 6, Verify(place)) << "call " << n;
    }
    EXPECT_GT(n, 25) << "the faults do not reach what they should";
  }
}

TEST(FileStoreFaultTest, WhatWasAcknowledgedOutlivesALossOfPower) {
  const uint32_t seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 150; ++round) {
    FaultyFiles files;
    FileStorePlace place(&files);
    Worked worked = Work(place, 0);
    files.fail_for_good = true;
    files.fail_at = files.calls() + 1 + static_cast<int>(random() % 35);
    worked = Work(place, worked.acknowledged);
    files.LosePower(random);
    const int64_t found = Verify(place);
    ASSERT_GE(found, worked.acknowledged) << "seed " << seed << " round " << round;
    ASSERT_LE(found, worked.tried) << "seed " << seed << " round " << round;
  }
}

TEST(FileStoreFaultTest, AHolderStoppedBeforeItsRenameCommitsNothingHoweverLateItWakes) {
  struct Case {
    int others;  // versions of the new owner; 12: retention has swept the number that we want
    bool leftover_stays;
  };
  for (const auto& [others, leftover_stays] :
       {Case{0, true}, Case{1, true}, Case{12, true}, Case{12, false}}) {
    FaultyFiles files;
    FileStorePlace place(&files);
    auto zombie = *place.Open("c", nullptr);
    ASSERT_TRUE(zombie->Acquire(Ask()).ok());
    ASSERT_TRUE(Add(*zombie).ok());
    std::unique_ptr<StateStore> other;
    bool stopped = false;
    files.before = [&](const std::string& call, const std::string& path) {
      if (call != "RenameNew" || stopped) return;
      stopped = true;
      other = *place.Open("c", nullptr);
      if (others == 12) {
        // Nobody asks here: somebody has removed the lock file, and nothing tells that this process
        // has two owners. So no record keeps the manifest of the new owner, and the number of the
        // old one becomes free again.
        std::filesystem::remove(place.path() + "/c.c.lock");
        std::filesystem::copy(path, path + ".kept");
      }
      ASSERT_TRUE(other->Acquire(Ask(others != 12)).ok());
      for (int i = 0; i < others; ++i) ASSERT_TRUE(Add(*other).ok());
      if (others != 12) return;
      EXPECT_FALSE(std::filesystem::exists(path)) << "a leftover is swept";
      EXPECT_FALSE(std::filesystem::exists(place.path() + "/c/00000000000000000003.manifest"));
      if (leftover_stays) std::filesystem::rename(path + ".kept", path);
    };
    const absl::Status status = Add(*zombie);
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code()) << others << ": " << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "FENCED")) << status;
    EXPECT_EQ(1 + others, Verify(place)) << others;
    EXPECT_TRUE(Add(*other).ok());
    EXPECT_EQ(2 + others, Verify(place)) << others;
    EXPECT_TRUE(absl::IsFailedPrecondition(Add(*zombie)));
  }
}

std::string Newest(const FileStorePlace& place) {
  std::string newest;
  for (const auto& file : std::filesystem::directory_iterator(place.path() + "/c")) {
    const std::string path = file.path().string();
    if (absl::EndsWith(path, ".manifest")) newest = std::max(newest, path);
  }
  return newest;
}

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void Overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(FileStoreDamageTest, ATornOrDamagedNewestManifestIsDataLossAndARepairPutsItAside) {
  FileStorePlace place;
  ASSERT_EQ(6, Work(place, 0).acknowledged);
  const std::string file = Newest(place);
  const std::string good = Bytes(file);
  std::vector<std::pair<std::string, std::string>> cases = {
      {"torn", ""},
      {"torn", good.substr(0, good.size() / 2)},
      {"torn", good.substr(0, good.size() - 1)},
      {"damaged", good}};
  cases.back().second[good.find("body_hash") + 15] ^= 1;
  for (const auto& [word, bytes] : cases) {
    Overwrite(file, bytes);
    auto store = *place.Open("c", nullptr);
    const absl::Status status = store->Heads().status();
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), word)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), file)) << status;
    EXPECT_TRUE(absl::IsDataLoss(store->Acquire(Ask()).status()));
    EXPECT_EQ(bytes, Bytes(file)) << "nothing is changed without being asked";
  }
  auto store = *place.Open("c", nullptr);
  OwnershipRequest request = Ask();
  request.rebuild = true;
  absl::StatusOr<int64_t> epoch = store->Acquire(request);
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_GT(*epoch, 1);
  EXPECT_EQ(cases.back().second, Bytes(file + ".damaged"));
  EXPECT_EQ(5, Verify(place));
  EXPECT_TRUE(Add(*store).ok());
  EXPECT_EQ(6, Verify(place));
}

TEST(FileStoreDamageTest, NoFlippedBitPassesUnseen) {
  FileStorePlace place;
  ASSERT_EQ(6, Work(place, 0).acknowledged);
  const std::string file = Newest(place);
  const std::string good = Bytes(file);
  const uint32_t seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = good;
    const size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    Overwrite(file, bytes);
    const absl::Status status = (*place.Open("c", nullptr))->Heads().status();
    // One bit makes format 1 to 3, 5 or 9: a newer one.
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsFailedPrecondition(status))
        << "byte " << at << ", seed " << seed << ": " << status;
  }
}

TEST(FileStoreDamageTest, AnOlderManifestIsMissedByTheChainAndItsGoodVersionsAreRead) {
  FileStorePlace place;
  ASSERT_EQ(6, Work(place, 0).acknowledged);
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(place.path() + "/c")) {
    if (file.path().extension() == ".manifest") files.push_back(file.path().string());
  }
  std::sort(files.begin(), files.end());
  ASSERT_EQ(4u, files.size());  // retention: four versions
  const std::string good = Bytes(files[1]);
  std::string bytes = good;
  bytes[bytes.find("\"holder\"") + 12] ^= 1;  // of its first line only
  Overwrite(files[1], bytes);
  EXPECT_EQ(6, Verify(place)) << "the versions prove themselves";
  bytes = good;
  bytes[bytes.find("\"body\":\"") + 9] ^= 1;
  Overwrite(files[1], bytes);
  auto store = *place.Open("c", nullptr);
  ChainVerifier verifier((*store->Heads())[0].anchor);
  VersionQuery query;
  query.entry = "t";
  absl::Status status = store->ReadVersions(
      query, [&](StoredVersion& stored) { return verifier.Add(stored.version); });
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
  std::filesystem::remove(files[1]);
  ChainVerifier again((*store->Heads())[0].anchor);
  status =
      store->ReadVersions(query, [&](StoredVersion& stored) { return again.Add(stored.version); });
  EXPECT_TRUE(absl::StrContains(status.message(), "is gone")) << status;
}

TEST(FileStoreDamageTest, ANewerFormatIsRefusedInWords) {
  FileStorePlace place;
  ASSERT_EQ(6, Work(place, 0).acknowledged);
  const std::string file = Newest(place);
  std::string bytes = Bytes(file);
  bytes.replace(bytes.find("_manifest\":1"), 12, "_manifest\":2");
  Overwrite(file, bytes + "whatever a newer engine puts there\n");
  auto store = *place.Open("c", nullptr);
  for (const absl::Status& status : {store->Heads().status(), store->Acquire(Ask()).status()}) {
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "newer engine")) << status;
  }
}

}  // namespace
}  // namespace tidemark
