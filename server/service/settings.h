// tidemarkd.yaml: what a server is told. Every key is optional; the defaults make a server that
// only its own user can reach.
//
//   data: /var/lib/tidemark            # catalog, keys, audit; 0700
//   connections: /etc/tidemark/connections   # folder of connection files; empty: API only
//   plugin_path: [/usr/lib/tidemark/plugins]
//   listen:
//     - address: unix:/run/tidemark/tidemark.sock     # 0600
//     - address: 0.0.0.0:7443
//       tls: {certificate: server.pem, key: server.key, client_ca: clients.pem}
//   reflection: false                  # on the unix socket only
//   http: {address: 127.0.0.1:9187}    # /metrics /healthz /readyz; "off"
//   limits: {syncs: 8, ingest_streams: 64, plugins: 64, memory: 4 GiB}
//   stop_timeout: 30 seconds
//   history: {age: 30 days, syncs: 10000}      # of ended syncs, per connection
//   secrets: {key: file:PATH | env:NAME | credential:NAME}   # see access/master_key.h
//   secrets: {next_key: as key}        # what RotateMasterKey seals with, then
//   log: {level: info, format: json, file: path, max_bytes: 100 MiB, files: 5}
//   alerts: path of a file, or the rules themselves (web/alert_rules.h)
//
// Values may hold ${env:NAME} and ${file:PATH}, which stand for what is in there: keys of secrets
// want file:PATH without them. ${secret:NAME} is not known yet. The table of keys is
// settings_keys.cc.
#ifndef TIDEMARK_SERVICE_SETTINGS_H_
#define TIDEMARK_SERVICE_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/config_node.h"
#include "control/log.h"

namespace tidemark {

struct ListenSettings {
  struct Tls {
    std::string certificate;  // PEM files
    std::string key;
    std::string client_ca;  // empty: clients need no certificate
  };
  std::string address;
  std::optional<Tls> tls;
};

struct ServerSettings {
  std::string file;  // how messages call it; empty: built in
  std::string data;
  std::string connections;
  std::string plugin_path;  // folders, separated by ':'
  std::vector<ListenSettings> listen;
  bool reflection = false;
  std::string http_address = "127.0.0.1:9187";  // empty: off
  int max_syncs = 8;
  int max_ingest_streams = 64;
  int max_plugins = 64;
  uint64_t memory_bytes = uint64_t{4} << 30;  // of all plugin processes together
  absl::Duration stop_timeout = absl::Seconds(30);
  absl::Duration history_age = absl::Hours(24 * 30);
  int64_t history_syncs = 10'000;
  std::string master_key;       // of file:PATH the path is absolute; empty: <data>/master.key
  std::string next_master_key;  // likewise; empty: a fresh one of the data folder
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = false;
  std::string log_file;  // empty: stderr
  uint64_t log_max_bytes = uint64_t{100} << 20;
  int log_files = 5;
  std::optional<ConfigNode> alerts;  // checked by web/
  std::string alerts_file;           // how messages call where `alerts` stand
  std::vector<std::string> secrets;  // values of references, for Redactor::AddSecret
};

// Defaults: data in $STATE_DIRECTORY, else $XDG_STATE_HOME/tidemark, else ~/.local/state/tidemark;
// the socket in $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/tidemark, else <data>/tidemark.sock.
ServerSettings DefaultServerSettings();

// Every problem a line, "FILE:LINE:COLUMN: KEY: ..."; IsUsage() holds. Relative paths begin in the
// file's folder, and all paths of the result are absolute. A file has at most 1 MiB.
absl::StatusOr<ServerSettings> LoadServerSettings(const std::string& path);

// Why a server may not listen there; empty: it may. An address that other machines reach needs TLS.
std::string ListenProblem(const ListenSettings& listen);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SETTINGS_H_
