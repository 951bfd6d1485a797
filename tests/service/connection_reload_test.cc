// A folder under random edits, restarts and kills between the steps of a write, against a model of
// what connection_book.h says.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/failpoint.h"
#include "core/random_bits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/connection_book.h"
#include "tests/service/book_fixture.h"

namespace tidemark::test {
namespace {

const char* const kFiles[] = {"a.yaml", "b.yml", "c.yaml", "d.yaml", "e.yml"};
const char* const kNames[] = {"a", "b", "c", "x", "y", "api"};

// What a file is: its text, whether that is valid, and the name it asks for (empty: none can be
// read in it).
struct ModelFile {
  std::string text;
  bool valid = true;
  bool readable = true;
  std::string name;

  bool operator==(const ModelFile&) const = default;
};

struct ModelRow {
  std::string file;  // of the folder; empty: of the API
  uint64_t version = 0;
  std::string text;
  bool removed = false;
  bool paused = false;
};

// The rules once more, as plainly as can be.
class Model {
 public:
  std::map<std::string, ModelFile> files;  // by name of the file
  std::map<std::string, ModelRow> rows;    // by name of the connection

  // What the book must show: "name version usable problem paused batch".
  std::map<std::string, std::string> Reload() {
    std::map<std::string, std::string> known;
    for (const auto& [name, row] : rows) {
      if (!row.removed && !row.file.empty()) known[row.file] = name;
    }
    std::map<std::string, std::string> owner;  // connection -> file
    std::vector<std::string> losers;
    for (const auto& [path, file] : files) {
      std::string name = file.name;
      if (name.empty()) name = known.count(path) != 0 ? known[path] : Stem(path);
      if (IsApi(name) || !owner.emplace(name, path).second) losers.push_back(path);
    }
    std::set<std::string> lost;
    for (const std::string& path : losers) {
      std::vector<std::string> wishes;
      if (known.count(path) != 0) wishes.push_back(known[path]);
      wishes.push_back(Stem(path));
      for (int i = 2; i < 20; ++i) wishes.push_back(absl::StrCat(Stem(path), "-", i));
      for (const std::string& wish : wishes) {
        if (!IsApi(wish) && owner.emplace(wish, path).second) break;
      }
      lost.insert(path);
    }
    std::map<std::string, std::string> shown;
    for (const auto& [name, path] : owner) {
      const ModelFile& file = files[path];
      if (file.valid && lost.count(path) == 0) Store(name, path, file.text);
      shown[name] = Line(name, !file.valid || lost.count(path) != 0, file);
    }
    for (auto& [name, row] : rows) {
      if (row.file.empty() && !row.removed) shown[name] = Line(name, false, {});
      if (!row.file.empty() && owner.count(name) == 0) row.removed = true;
    }
    return shown;
  }

  bool IsApi(const std::string& name) const {
    const auto row = rows.find(name);
    return row != rows.end() && !row->second.removed && row->second.file.empty();
  }

 private:
  static std::string Stem(const std::string& path) { return path.substr(0, path.find('.')); }

  void Store(const std::string& name, const std::string& path, const std::string& text) {
    ModelRow& row = rows[name];
    if (row.version == 0 || row.text != text) ++row.version;
    row.text = text;
    row.file = path;
    row.removed = false;
  }

  std::string Line(const std::string& name, bool problem, const ModelFile& file) const {
    const auto row = rows.find(name);
    const bool stored = row != rows.end() && !row->second.removed;
    const bool usable = stored;
    return absl::StrCat(stored ? row->second.version : 0, usable ? " usable" : " not",
                        problem ? " problem" : "", stored && row->second.paused ? " paused" : "",
                        " ",
                        stored          ? row->second.text
                        : file.readable ? file.text
                                        : "");
  }
};

class ReloadTest : public BookTest {
 protected:
  std::map<std::string, std::string> Shown() {
    std::map<std::string, std::string> shown;
    for (const ConnectionEntry& entry : book_->List("", 1000)) {
      shown[entry.name] = absl::StrCat(entry.version, entry.usable ? " usable" : " not",
                                       entry.problem.empty() ? "" : " problem",
                                       entry.paused ? " paused" : "", " ", *entry.yaml);
      EXPECT_EQ(book_->Load(entry.name).ok(), entry.usable) << entry.name;
    }
    return shown;
  }

  ModelFile AnyFile(RandomBits& random) {
    ModelFile file;
    file.name = kNames[random.Below(std::size(kNames))];
    file.text = Definition(file.name, 1 + static_cast<int>(random.Below(4)));
    switch (random.Below(10)) {
      case 0:
        file.text += "nonsense: 1\n";  // a name, and wrong
        file.valid = false;
        break;
      case 1:
        file.text += "  - [\n";  // no YAML
        file.valid = false;
        file.name.clear();
        break;
      case 2:
        file.text = std::string("\0\1\2", 3);
        file.valid = false;
        file.name.clear();
        break;
      default:
        break;
    }
    return file;
  }

  // One edit of the folder, in the model too.
  std::string Edit(RandomBits& random) {
    const std::string name = kFiles[random.Below(std::size(kFiles))];
    const std::string path = absl::StrCat(folder_, "/", name);
    switch (random.Below(8)) {
      case 0:
      case 1:
        Remove(name);
        model_.files.erase(name);
        return "remove " + name;
      case 2: {  // as mv does
        const std::string to = kFiles[random.Below(std::size(kFiles))];
        if (to == name || model_.files.count(name) == 0 || !model_.files[name].readable) {
          return "nothing";
        }
        Remove(to);
        std::filesystem::rename(path, absl::StrCat(folder_, "/", to));
        model_.files[to] = model_.files[name];
        model_.files.erase(name);
        return absl::StrCat("rename ", name, " to ", to);
      }
      case 3:
        Remove(name);
        std::filesystem::create_directory(path);
        model_.files[name] = {"", false, false, ""};
        return "folder " + name;
      case 4: {  // as editors do: a new file in its place
        const ModelFile file = AnyFile(random);
        Write(".new", file.text);
        Remove(name);
        std::filesystem::rename(folder_ + "/.new", path);
        model_.files[name] = file;
        return absl::StrCat("replace ", name, " by ", file.text);
      }
      default: {
        const ModelFile file = AnyFile(random);
        if (model_.files.count(name) != 0 && !model_.files[name].readable) Remove(name);
        Write(name, file.text);
        model_.files[name] = file;
        return absl::StrCat("write ", name, ": ", file.text);
      }
    }
  }

  void Pause(RandomBits& random) {
    const std::string name = kNames[random.Below(std::size(kNames))];
    const bool paused = random.Below(2) == 0;
    const auto row = model_.rows.find(name);
    const bool stored = row != model_.rows.end() && !row->second.removed;
    const bool done = book_->SetPaused(name, paused).ok();
    EXPECT_EQ(done, stored) << name;
    if (done) row->second.paused = paused;
  }

  // The folder is read again by a process that is killed in the middle of it.
  void KillWhileReloading(RandomBits& random) {
    static constexpr const char* kPoints[] = {"catalog.begun", "catalog.before_commit",
                                              "catalog.committed"};
    const char* const point = kPoints[random.Below(std::size(kPoints))];
    Close();
    const pid_t child = fork();
    if (child == 0) {
      if (!ArmFailpoints(absl::StrCat(point, "=1*kill"), "").ok()) _exit(1);
      TryOpen().IgnoreError();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
  }

  Model model_;
};

TEST_F(ReloadTest, TheBookShowsWhatTheRulesSayAfterAnyEdits) {
  const uint64_t seed = RandomBits::Real().Next();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  const std::unique_ptr<RandomBits> random = SeededBits(seed);
  Open();
  const std::string api = Definition("api", 7);
  ASSERT_TRUE(book_->Apply(api, false, 0).ok());
  model_.rows["api"] = {"", 1, api, false, false};
  std::vector<std::string> story;
  for (int round = 0; round < 250; ++round) {
    const std::map<std::string, ModelFile> files = model_.files;
    story.emplace_back();
    for (uint64_t edits = 1 + random->Below(3); edits > 0; --edits) {
      absl::StrAppend(&story.back(), Edit(*random), "; ");
    }
    if (story.size() > 6) story.erase(story.begin());
    const std::map<std::string, std::string> before = Shown();
    EXPECT_TRUE(book_->Changed() || model_.files == files);
    std::optional<std::vector<std::string>> told;
    if (random->Below(10) == 0) {
      if (random->Below(2) == 0) KillWhileReloading(*random);
      Reopen();
    } else {
      told = Reload();
    }
    const std::map<std::string, std::string> expected = model_.Reload();
    const std::map<std::string, std::string> shown = Shown();
    ASSERT_EQ(shown, expected) << "round " << round << " after:\n" << absl::StrJoin(story, "\n");
    if (told.has_value()) {
      // Whatever looks different was told, and what is told is or was there.
      for (const auto& [name, line] : shown) {
        const auto was = before.find(name);
        if (was == before.end() || was->second != line) {
          EXPECT_THAT(*told, testing::Contains(name));
        }
      }
      for (const std::string& name : *told) {
        EXPECT_TRUE(before.count(name) != 0 || shown.count(name) != 0) << name;
      }
    }
    Pause(*random);
  }
}

}  // namespace
}  // namespace tidemark::test
