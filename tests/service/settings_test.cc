// tidemarkd.yaml: what each key does, and every problem at once with its place.
#include "service/settings.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/settings_keys.h"
#include "tests/service/book_fixture.h"

namespace tidemark::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/tidemark-settings-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const char* name :
         {"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
      unsetenv(name);
    }
    setenv("HOME", "/people/me", 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<ServerSettings> Load(const std::string& text) {
    WriteWhole(folder_ + "/s.yaml", text);
    return LoadServerSettings(folder_ + "/s.yaml");
  }
  ServerSettings Good(const std::string& text) {
    absl::StatusOr<ServerSettings> settings = Load(text);
    EXPECT_TRUE(settings.ok()) << text << ": " << settings.status();
    return settings.value_or(ServerSettings());
  }
  std::string ErrorOf(const std::string& text) {
    const absl::Status status = Load(text).status();
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_TRUE(IsUsage(status)) << text;
    return std::string(status.message());
  }

  std::string folder_;
};

TEST_F(SettingsTest, DefaultsAreReachedByThisUserAlone) {
  ServerSettings settings = DefaultServerSettings();
  EXPECT_EQ(settings.data, "/people/me/.local/state/tidemark");
  ASSERT_EQ(settings.listen.size(), 1u);
  EXPECT_EQ(settings.listen[0].address, "unix:/people/me/.local/state/tidemark/tidemark.sock");
  EXPECT_FALSE(settings.reflection);
  EXPECT_EQ(settings.http_address, "127.0.0.1:9187");
  setenv("XDG_STATE_HOME", "/state", 1);
  setenv("XDG_RUNTIME_DIR", "/run/user/5", 1);
  settings = DefaultServerSettings();
  EXPECT_EQ(settings.data, "/state/tidemark");
  EXPECT_EQ(settings.listen[0].address, "unix:/run/user/5/tidemark/tidemark.sock");
  setenv("STATE_DIRECTORY", "/var/lib/tidemark:/var/lib/other", 1);  // as systemd gives them
  setenv("RUNTIME_DIRECTORY", "/run/tidemark", 1);
  settings = DefaultServerSettings();
  EXPECT_EQ(settings.data, "/var/lib/tidemark");
  EXPECT_EQ(settings.listen[0].address, "unix:/run/tidemark/tidemark.sock");
  EXPECT_EQ(ListenProblem(settings.listen[0]), "");
}

TEST_F(SettingsTest, EmptyFilesAreTheDefaultsAndTheSocketFollowsTheData) {
  for (const char* text : {"", "# nothing\n", "{}\n"}) {
    EXPECT_EQ(Good(text).data, "/people/me/.local/state/tidemark") << text;
  }
  const ServerSettings settings = Good("data: d\n");
  EXPECT_EQ(settings.data, folder_ + "/d");
  EXPECT_EQ(settings.listen[0].address, absl::StrCat("unix:", folder_, "/d/tidemark.sock"));
}

TEST_F(SettingsTest, EveryKeyIsRead) {
  setenv("E1_LEVEL", "warning", 1);
  const ServerSettings s = Good(R"yaml(
data: /var/lib/x
connections: connections
plugin_path: [/usr/lib/p, mine]
listen:
  - address: unix:run/t.sock
  - address: 0.0.0.0:7443
    tls: {certificate: server.pem, key: /k/server.key, client_ca: clients.pem}
reflection: true
http: {address: "[::1]:9000"}
limits: {syncs: 3, ingest_streams: 4, plugins: 5, memory: 1 GiB}
stop_timeout: 2 minutes
history: {age: 7 days, syncs: 99}
secrets: {key: file:master.key, next_key: file:next.key}
log: {level: "${E1_LEVEL}", format: json, file: t.log, max_bytes: 10 MiB, files: 2}
alerts: {rules: [{name: late}]}
)yaml");
  EXPECT_EQ(s.file, folder_ + "/s.yaml");
  EXPECT_EQ(s.data, "/var/lib/x");
  EXPECT_EQ(s.connections, folder_ + "/connections");
  EXPECT_EQ(s.plugin_path, absl::StrCat("/usr/lib/p:", folder_, "/mine"));
  ASSERT_EQ(s.listen.size(), 2u);
  EXPECT_EQ(s.listen[0].address, absl::StrCat("unix:", folder_, "/run/t.sock"));
  EXPECT_FALSE(s.listen[0].tls.has_value());
  EXPECT_EQ(s.listen[1].address, "0.0.0.0:7443");
  EXPECT_EQ(s.listen[1].tls->certificate, folder_ + "/server.pem");
  EXPECT_EQ(s.listen[1].tls->key, "/k/server.key");
  EXPECT_EQ(s.listen[1].tls->client_ca, folder_ + "/clients.pem");
  EXPECT_TRUE(s.reflection);
  EXPECT_EQ(s.http_address, "[::1]:9000");
  EXPECT_EQ(s.max_syncs, 3);
  EXPECT_EQ(s.max_ingest_streams, 4);
  EXPECT_EQ(s.max_plugins, 5);
  EXPECT_EQ(s.memory_bytes, uint64_t{1} << 30);
  EXPECT_EQ(s.stop_timeout, absl::Minutes(2));
  EXPECT_EQ(s.history_age, absl::Hours(168));
  EXPECT_EQ(s.history_syncs, 99);
  EXPECT_EQ(s.master_key, absl::StrCat("file:", folder_, "/master.key"));
  EXPECT_EQ(s.next_master_key, absl::StrCat("file:", folder_, "/next.key"));
  EXPECT_EQ(s.log_level, LogLevel::kWarning);
  EXPECT_TRUE(s.log_json);
  EXPECT_EQ(s.log_file, folder_ + "/t.log");
  EXPECT_EQ(s.log_max_bytes, uint64_t{10} << 20);
  EXPECT_EQ(s.log_files, 2);
  ASSERT_TRUE(s.alerts.has_value());
  EXPECT_NE(s.alerts->Find("rules"), nullptr);
  EXPECT_EQ(s.alerts_file, s.file);
  EXPECT_EQ(Good("http: {address: \"off\"}\n").http_address, "");
  EXPECT_EQ(Good("secrets: {key: env:KEY}\n").master_key, "env:KEY");
  EXPECT_EQ(Good("secrets: {key: credential:master}\n").master_key, "credential:master");
}

TEST_F(SettingsTest, AlertsMayStandInAFileOfTheirOwn) {
  WriteWhole(folder_ + "/rules.yaml", "rules: [{name: late, url: \"${file:url}\"}]\n");
  WriteWhole(folder_ + "/url", "https://h/canary\n");
  const ServerSettings settings = Good("alerts: rules.yaml\n");
  EXPECT_EQ(settings.alerts->Find("rules")->items[0].Find("url")->text, "https://h/canary");
  EXPECT_EQ(settings.alerts_file, folder_ + "/rules.yaml");
  EXPECT_THAT(settings.secrets, ElementsAre("https://h/canary"));
  WriteWhole(folder_ + "/rules.yaml", "rules: [\n");
  EXPECT_THAT(ErrorOf("alerts: rules.yaml\n"), HasSubstr("rules.yaml:2:1: this is no YAML"));
  EXPECT_THAT(ErrorOf("alerts: none.yaml\n"), HasSubstr("s.yaml:1:9: alerts: "));
}

TEST_F(SettingsTest, WhatIsWrongIsSaidWithItsPlace) {
  struct Case {
    std::string text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"conections: x\n",
            "s.yaml:1:1: conections: unknown key \"conections\"; did you mean \"connections\"?"},
           {"log: {levle: info}\n", "log.levle: unknown key \"levle\"; did you mean \"level\"?"},
           {"syncs: 3\n", "did you mean limits.syncs?"},
           {"limits: {syncs: 0}\n",
            "s.yaml:1:17: limits.syncs: \"0\" is not allowed; expected integer from 1 to 1000"},
           {"limits: {syncs: many}\n", "expected integer"},
           {"limits: {syncs: [1]}\n", "expected integer"},
           {"limits: 3\n", "expected a map with syncs"},
           {"limits: {memory: much}\n", "expected size"},
           {"stop_timeout: soon\n", "expected duration"},
           {"stop_timeout: 0 s\n", "expected a positive duration"},
           {"history: {age: 1 month}\n", "without months"},
           {"log: {level: loud}\n", "expected one of debug, info, warning, error, off"},
           {"reflection: maybe\n", "reflection: \"maybe\" is not allowed"},
           {"data: \"\"\n", "data: expected a path"},
           {"listen: 127.0.0.1:7\n", "listen: expected a list of maps"},
           {"listen: [127.0.0.1:7]\n", "expected a map with address, tls"},
           {"listen: [{tls: {}}]\n", "name the address"},
           {"listen: [{adress: x}]\n", "did you mean \"address\"?"},
           {"listen: [{address: 127.0.0.1}]\n", "s.yaml:1:20: listen[].address: "},
           {"listen: [{address: \"127.0.0.1:65536\"}]\n", "listen[].address"},
           {"listen: [{address: \":7443\"}]\n", "listen[].address"},
           {"listen: [{address: \"unix:\"}]\n", "unix:"},
           {"listen: [{address: \"unix:@x\", tls: {}}]\n", "a unix socket needs no tls"},
           {"listen: [{address: \"unix:" + std::string(108, 'x') + "\"}]\n", "at most 107"},
           {"listen: [{address: \"0.0.0.0:7443\"}]\n", "listen[].address"},
           {"listen: [{address: \"[::]:7443\"}]\n", "listen[].address"},
           {"listen: [{address: \"server.example:7443\"}]\n", "listen[].address"},
           {"listen: [{address: \"0.0.0.0:7443\", tls: {certificate: a}}]\n",
            "tls needs certificate and key"},
           {"listen: [{address: \"127.0.0.1:7\"}, {address: \"127.0.0.1:7\"}]\n", "given twice"},
           {"http: {address: \"unix:/x\"}\n", "expected HOST:PORT, or off"},
           {"http: {address: \"9187\"}\n", "or off"},
           {"plugin_path: [\"/a:/b\"]\n", "holds no \":\""},
           {"secrets: {key: 000102030405060708}\n", "expected file:PATH"},
           {"secrets: {key: \"file:\"}\n", "expected file:PATH"},
           {"secrets: {key: \"env:\"}\n", "expected file:PATH"},
           {"secrets: {next_key: 000102030405060708}\n", "secrets.next_key: expected file:PATH"},
           {"data: ${E1_NOT_THERE}\n", "s.yaml: line 1: the variable E1_NOT_THERE is not set"},
           {"data: \"${secret:x}\"\n", "is kept by a server"},
           {"data: \"${file:none}\"\n", "/none: No such file"},
           {"- a\n", "s.yaml:1:1: the file must be a map of data, connections"},
           {"data: a\ndata: b\n", "s.yaml:2:1: key \"data\" is given twice"},
           {"data: [\n", "this is no YAML"},
           {"a: &a [*a]\n", "s.yaml:1"},
           {std::string("data: \0\n", 8), "no text in UTF-8"},
           {"# " + std::string(1 << 20, 'x'), "larger than 1048576 bytes"}}) {
    EXPECT_THAT(ErrorOf(c.text), HasSubstr(c.error)) << c.text.substr(0, 200);
  }
  EXPECT_THAT(ErrorOf("secrets: {key: 000102030405060708}\n"), Not(HasSubstr("000102")));
  EXPECT_TRUE(IsUsage(LoadServerSettings(folder_ + "/none.yaml").status()));
}

TEST_F(SettingsTest, EveryProblemIsSaidAtOnceInTheOrderOfTheFile) {
  const std::string error =
      ErrorOf("nonsense: 1\nlimits: {syncs: x}\nlisten: [{address: \"0.0.0.0:1\"}]\nlog: 3\n");
  size_t at = 0;
  for (const char* place : {"s.yaml:1:1: nonsense", "s.yaml:2:17: limits.syncs",
                            "s.yaml:3:20: listen[].address", "s.yaml:4:6: log"}) {
    const size_t found = error.find(place);
    ASSERT_NE(found, std::string::npos) << place << " in " << error;
    EXPECT_GE(found, at);
    at = found;
  }
}

TEST_F(SettingsTest, EveryKeyOfTheTableIsExplainedOnce) {
  std::set<std::string> seen;
  for (const ConfigurationKey& key : ServerKeys()) {
    EXPECT_TRUE(seen.insert(key.path).second) << key.path;
    EXPECT_STRNE(key.meaning, "") << key.path;
    if (key.type != KeyType::kSection && key.type != KeyType::kList) {
      EXPECT_STRNE(key.example, "") << key.path;
    }
  }
}

}  // namespace
}  // namespace tidemark::test
