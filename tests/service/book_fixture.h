// A data folder, a folder of connection files and a book over both.
#ifndef TIDEMARK_TESTS_SERVICE_BOOK_FIXTURE_H_
#define TIDEMARK_TESTS_SERVICE_BOOK_FIXTURE_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/clock.h"
#include "gtest/gtest.h"
#include "service/catalog.h"
#include "service/connection_book.h"

namespace tidemark::test {

inline std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline void WriteWhole(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
}

// A definition without a name of its own unless one is given.
inline std::string Definition(const std::string& name, int batch = 1000,
                              const std::string& more = "") {
  return absl::StrCat(name.empty() ? "" : absl::StrCat("name: ", name, "\n"),
                      "sync:\n  source: {connector: hello}\n  destination: {connection: /tmp/w-",
                      name, ".db}\n  batch_size: ", batch, "\n", more);
}

class BookTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/tidemark-connections-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = std::filesystem::canonical(pattern).string();
    folder_ = root_ + "/connections";
    data_ = root_ + "/data";
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override {
    Close();
    std::filesystem::remove_all(root_);
  }

  absl::Status TryOpen() {
    absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(data_);
    if (!catalog.ok()) return catalog.status();
    catalog_ = *std::move(catalog);
    ConnectionBook::Options options;
    options.folder = with_folder_ ? folder_ : "";
    options.clock = clock_;
    options.secret = [this](absl::string_view name) -> absl::StatusOr<std::string> {
      const auto found = secrets_.find(std::string(name));
      if (found != secrets_.end()) return found->second;
      return absl::NotFoundError(absl::StrCat("there is no secret ", name));
    };
    absl::StatusOr<std::unique_ptr<ConnectionBook>> book =
        ConnectionBook::Open(catalog_.get(), options);
    if (!book.ok()) return book.status();
    book_ = *std::move(book);
    return absl::OkStatus();
  }
  void Open() {
    const absl::Status status = TryOpen();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Close() {
    book_ = nullptr;
    catalog_ = nullptr;
  }
  void Reopen() {
    Close();
    Open();
  }
  void Write(const std::string& file, const std::string& text) {
    WriteWhole(absl::StrCat(folder_, "/", file), text);
  }
  void Remove(const std::string& file) {
    std::filesystem::remove_all(absl::StrCat(folder_, "/", file));
  }
  std::vector<std::string> Reload() {
    absl::StatusOr<std::vector<std::string>> changed = book_->Reload();
    EXPECT_TRUE(changed.ok()) << changed.status();
    return changed.value_or(std::vector<std::string>());
  }
  ConnectionEntry Get(const std::string& name) {
    absl::StatusOr<ConnectionEntry> entry = book_->Get(name);
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.value_or(ConnectionEntry());
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const ConnectionEntry& entry : book_->List("", 10'000)) names.push_back(entry.name);
    return names;
  }

  std::string root_;
  std::string folder_;
  std::string data_;
  bool with_folder_ = true;
  Clock* clock_ = &Clock::Real();
  std::map<std::string, std::string> secrets_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ConnectionBook> book_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_BOOK_FIXTURE_H_
