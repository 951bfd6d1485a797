// The files connector on real files, and its reader of CSV.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "files/csv_parser.h"
#include "tests/plugins/source_run.h"
#include "tests/plugins/test_database.h"

namespace tidemark_testing {
namespace {

using tidemark::files::CsvField;
using tidemark::files::CsvParser;
using Texts = std::vector<std::string>;

// Every change gets a time of its own, an hour and more before now.
void SetModified(const std::string& path) {
  static int64_t ticks = 0;
  const int64_t at = absl::ToUnixSeconds(absl::Now()) - 100'000 + ++ticks;
  const timeval times[2] = {{at, 0}, {at, 0}};
  EXPECT_EQ(0, utimes(path.c_str(), times));
}

void Write(const std::string& path, const std::string& text, const char* mode = "w") {
  FILE* file = fopen(path.c_str(), mode);
  ASSERT_NE(nullptr, file) << path;
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
  SetModified(path);
}
void Append(const std::string& path, const std::string& text) { Write(path, text, "a"); }

std::string Lines(const SourceRun& run) { return absl::StrJoin(run.image().Lines(), "\n"); }

TEST(CsvParserTest, CutsRecordsAsRfc4180Does) {
  struct Case {
    const char* bytes;
    const char* fields;  // joined by |, quoted ones in brackets
    size_t size;
  };
  for (const Case& c : std::vector<Case>{{"a,b\nc", "a|b", 4},
                                         {"a,b\r\nc", "a|b", 5},
                                         {"\"a\",b\n", "[a]|b", 6},
                                         {"\"a,\"\"b\"\"\nc\"\r\n", "[a,\"b\"\nc]", 13},
                                         {",\n", "|", 2},
                                         {"\n", "", 1},
                                         {"\"\"\n", "[]", 3},
                                         {"a b\"c\n", "a b\"c", 6},
                                         {"a\rb\n", "a\rb", 4},
                                         {"end", "end", 3},
                                         {"a,", "a|", 2}}) {
    CsvParser parser;
    size_t size = 0;
    ASSERT_EQ(CsvParser::Outcome::kRecord, parser.Parse(c.bytes, true, &size)) << c.bytes;
    EXPECT_EQ(c.size, size) << c.bytes;
    Texts fields;
    for (const CsvField& f : parser.fields()) {
      fields.push_back(f.quoted ? absl::StrCat("[", f.text, "]") : f.text);
    }
    EXPECT_EQ(c.fields, absl::StrJoin(fields, "|"));
  }
}

TEST(CsvParserTest, SaysWhatIsWrongAndGoesOnBehindIt) {
  CsvParser parser;
  size_t size = 0;
  EXPECT_EQ(CsvParser::Outcome::kBad, parser.Parse("\"a\"b,c\nd\n", false, &size));
  EXPECT_EQ(7u, size);
  EXPECT_EQ(CsvParser::Outcome::kBad, parser.Parse("\"a\nb", true, &size));
  EXPECT_EQ(4u, size);
  for (const char* part : {"a", "\"a", "\"a\"", "\"a\"\r", "a,\"b\n"}) {
    EXPECT_EQ(CsvParser::Outcome::kNeedMore, parser.Parse(part, false, &size)) << part;
  }
}

TEST(Files, CsvBecomesRows) {
  TestFolder folder;
  Write(folder.File("people.csv"),
        "\xEF\xBB\xBFid,name,score,zip\r\n1,\"Ann \"\"A\"\"\",1.50,007\r\n2,,7,\"8\"\r\n"
        "\n3,\"two\nlines\",-0.5,99999999999999999999\r\n");
  SourceRun run("files", {{"connection", folder.File("people.csv")}, {"primary_key", R"(["id"])"}});
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(
      "people (1) id=1 name=\"Ann \\\"A\\\"\" score=1.50 zip=\"007\"\n"
      "people (2) id=2 score=7 zip=\"8\"\n"
      "people (3) id=3 name=\"two\\nlines\" score=-0.5 zip=99999999999999999999",
      Lines(run));
  EXPECT_EQ(0u, run.sink().dead_letters().size());
}

TEST(Files, DeclaredTypesAreKept) {
  TestFolder folder;
  Write(folder.File("t.csv"),
        "id:LONG;at;amount:DECIMAL(8,2);ok:BOOLEAN;day;code\n"
        "1;2024-01-15T10:00:00Z;1.10;true;2024-01-15;007\n2;N/A;x;true;2024-01-15;5\n");
  SourceRun run("files", {{"connection", folder.File("*.csv")},
                          {"table", "fixed"},
                          {"typed_header", "true"},
                          {"delimiter", ";"},
                          {"null_text", "N/A"},
                          {"columns", R"({"at": "UTC_DATETIME", "day": "NAIVE_DATE",
                                          "code": "STRING"})"},
                          {"primary_key", R"(["id"])"}});
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ(
      "fixed (1) amount=1.10 at=timestamp:1705312800000000 code=\"007\" day=date:19737 id=1 "
      "ok=true",
      Lines(run));
  ASSERT_EQ(1u, run.sink().dead_letters().size());
  EXPECT_EQ("file t.csv, line 3: column amount is not a DECIMAL",
            run.sink().dead_letters()[0].reason);
}

TEST(Files, BadRecordsAreDeadLettersWithFileAndLine) {
  TestFolder folder;
  Write(folder.File("a.csv"), "id,v\n1,x\n2\n3,\"y\"z\n4,\xff\n5,\"many\nlines\"\n6,x,y\n7,ok\n");
  Write(folder.File("b.ndjson"), "{\"id\":1}\nnonsense\n[1]\n{\"id\":2}{\"id\":3}\n{\"id\":4}\n");
  SourceRun run("files", {{"connection", folder.File("*")}, {"primary_key", R"(["id"])"}});
  ASSERT_TRUE(run.Sync().ok());
  Texts reasons;
  for (const RecordedDeadLetter& d : run.sink().dead_letters()) {
    reasons.push_back(d.reason.substr(0, d.reason.find(':')));
    EXPECT_TRUE(absl::StrContains(d.context_json, "\"line\":")) << d.context_json;
  }
  EXPECT_EQ(
      (Texts{"file a.csv, line 3", "file a.csv, line 4", "file a.csv, line 5", "file a.csv, line 8",
             "file b.ndjson, line 2", "file b.ndjson, line 3", "file b.ndjson, line 4"}),
      reasons);
  EXPECT_EQ(
      "a (1) id=1 v=\"x\"\na (5) id=5 v=\"many\\nlines\"\na (7) id=7 v=\"ok\"\nb (1) id=1\n"
      "b (4) id=4",
      Lines(run));
}

TEST(Files, NdjsonKeepsItsValues) {
  TestFolder folder;
  Write(
      folder.File("e.jsonl"),
      "{\"id\": 1, \"f\": 1.5, \"s\": \"a\\u00e9\", \"b\": true, \"n\": null, \"o\": {\"z\": 1.10, "
      "\"a\": []}}\r\n\n{\"id\": 18446744073709551616, \"new\": -3e2}\n");
  SourceRun run("files", {{"connection", folder.File("e.jsonl")}});
  ASSERT_TRUE(run.Sync().ok()) << run.Warnings();
  ASSERT_EQ(2u, run.upserts());
  const std::string lines = Lines(run);
  for (const char* part : {"f=1.5", "s=\"a\\303\\251\"", "b=true", "o={\"z\": 1.10, \"a\": []}",
                           "id=18446744073709551616", "new=-300"}) {
    EXPECT_TRUE(absl::StrContains(lines, part)) << part << " in " << lines;
  }
}

TEST(Files, OnlyWhatIsNewIsRead) {
  for (const bool json : {false, true}) {
    SCOPED_TRACE(json ? "ndjson" : "csv");
    TestFolder folder;
    const std::string ending = json ? ".ndjson" : ".csv";
    const std::string header = json ? "" : "id,v\n";
    const auto line = [json](int id, const std::string& v) {
      return json ? absl::StrCat("{\"id\":", id, ",\"v\":\"", v, "\"}\n")
                  : absl::StrCat(id, ",", v, "\n");
    };
    const std::string file = folder.File("a" + ending);
    Write(file, header + line(1, "a") + line(2, "b"));
    SourceRun run(
        "files",
        {{"connection", folder.File("*" + ending)}, {"table", "t"}, {"primary_key", R"(["id"])"}});
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"1", "2"}), run.Keys());
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Texts(), run.Keys());

    Append(file, line(3, "c"));
    Write(folder.File("b" + ending), header + line(4, "d"));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"3", "4"}), run.Keys());

    // Half a line waits for its other half.
    const std::string five = line(5, "five");
    Append(file, five.substr(0, five.size() / 2));
    run.At(absl::Now() - absl::Hours(100));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Texts(), run.Keys());
    Append(file, five.substr(five.size() / 2));
    run.At(absl::Now());
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"5"}), run.Keys());
    EXPECT_EQ(0u, run.sink().dead_letters().size());

    // Written over in place, then cut.
    Write(folder.File("b" + ending), header + line(4, "e"));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"4"}), run.Keys());
    Write(file, header + line(1, "z"));
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ((Texts{"1"}), run.Keys());
    EXPECT_TRUE(absl::StrContains(run.Warnings(), "shrank")) << run.Warnings();

    // A file that is gone leaves its rows; one of the same name is a new one.
    unlink(folder.File("b" + ending).c_str());
    ASSERT_TRUE(run.Sync().ok());
    EXPECT_EQ(Texts(), run.Keys());
    EXPECT_FALSE(absl::StrContains(run.state()[0].body, "b" + ending));
    EXPECT_EQ(5u, run.image().RowCount("t"));
    ASSERT_TRUE(run.Sync(/*full=*/true).ok());
    EXPECT_EQ(1u, run.image().RowCount("t"));
  }
}

TEST(Files, ALastLineWithoutAnEndIsTakenOnceTheFileIsLeftAlone) {
  TestFolder folder;
  const std::string file = folder.File("t.csv");
  Write(file, "id,v\n1,a\n2,b");
  SourceRun run("files", {{"connection", file}, {"primary_key", R"(["id"])"}});
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"1", "2"}), run.Keys());
  Append(file, "\n3,c\n4,d");
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_EQ((Texts{"3", "4"}), run.Keys());
  Append(file, "ie Welt\n5,e\n");  // The line went on after all.
  ASSERT_TRUE(run.Sync().ok());
  EXPECT_TRUE(absl::StrContains(run.Warnings(), "went on in its last line")) << run.Warnings();
  EXPECT_TRUE(absl::StrContains(Lines(run), "v=\"die Welt\"")) << Lines(run);
}

TEST(Files, EveryRowArrivesWhereverARunBreaksOff) {
  for (const std::string ending : {"csv", "ndjson"}) {
    TestFolder folder;
    const std::string file = folder.File("t." + ending);
    Write(file, ending == "csv" ? "id,v\n" : "");
    int number = 0;
    const auto grow = [&](int lines) {
      std::string text;
      for (int i = 0; i < lines; ++i, ++number) {
        absl::StrAppend(&text, ending == "csv" ? absl::StrCat(number, ",\"a\n", number, "\"\n")
                                               : absl::StrCat("{\"id\": ", number, "}\n"));
      }
      Append(file, text);
    };
    grow(30);
    SourceRun run("files", {{"connection", file}, {"primary_key", R"(["id"])"}});
    run.PageRows(3);
    for (size_t emit = 1; emit < 10; ++emit) {
      run.BreakAtEmit(emit).Sync().IgnoreError();
      grow(4);
    }
    ASSERT_TRUE(run.BreakAtEmit(0).Sync().ok());
    EXPECT_EQ(static_cast<size_t>(number), run.image().RowCount("t"));
  }
}

TEST(Files, ErrorsSayWhatToDo) {
  TestFolder folder;
  Write(folder.File("twice.csv"), "a,a\n1,2\n");
  Write(folder.File("empty.csv"), "");
  struct Case {
    Settings settings;
    const char* says;
  };
  for (Case& c : std::vector<Case>{
           {{{"connection", folder.File("no*.csv")}}, "there is no file"},
           {{{"connection", folder.File("twice.csv")}}, "the header gives a twice"},
           {{{"connection", folder.File("e*")}, {"header", "false"}}, "column_names"},
           {{{"connection", folder.File("e*")}, {"delimiter", "ab"}}, "one character"},
           {{{"connection", folder.File("e*")}, {"columns", R"({"a": "NUMBER"})"}},
            "a has an unknown type"}}) {
    PluginRun run(BuiltPlugin("files"), c.settings);
    const absl::Status status = run.Open();
    EXPECT_FALSE(status.ok()) << c.says;
    EXPECT_TRUE(absl::StrContains(status.message(), c.says)) << status;
  }
  SourceRun empty("files", {{"connection", folder.File("empty.csv")}});
  EXPECT_TRUE(empty.Sync().ok());
}

TEST(Files, Conforms) {
  TestFolder folder;
  std::string csv = "id,text\n", json;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&csv, i, ",text ", i, "\n");
    absl::StrAppend(&json, "{\"id\":", i, "}\n");
  }
  Write(folder.File("a.csv"), csv);
  Write(folder.File("b.ndjson"), json);
  EXPECT_EQ("", Failures(RunConformance(BuiltPlugin("files"), {{"connection", folder.File("")},
                                                               {"primary_key", R"(["id"])"}})));
}

}  // namespace
}  // namespace tidemark_testing
