#include "service/settings_keys.h"

namespace tidemark {
namespace {

constexpr KeyType kSection = KeyType::kSection;
constexpr KeyType kText = KeyType::kText;
constexpr KeyType kInteger = KeyType::kInteger;
constexpr KeyType kDuration = KeyType::kDuration;
constexpr KeyType kBytes = KeyType::kBytes;

// path, type, choices, not built, default, meaning, example[, minimum, maximum]
constexpr ConfigurationKey kKeys[] = {
    {"data", kText, "", "", "$STATE_DIRECTORY, $XDG_STATE_HOME/tidemark, ~/.local/state/tidemark",
     "The folder of the catalog, keys and the audit log; mode 0700, of one server only.",
     "/srv/tidemark"},
    {"connections", kText, "", "", "none: connections come through the API only",
     "The folder of connection files (*.yaml, *.yml), read again when one changes.",
     "/etc/tidemark/connections"},
    {"plugin_path", KeyType::kTextList, "", "", "as for tidemark",
     "Folders of plugins, searched before the others.", "[/usr/lib/tidemark/plugins]"},
    {"listen", KeyType::kList, "", "", "a unix socket of this user alone",
     "Where Control and Ingest are served.", ""},
    {"listen[].address", kText, "", "", "",
     "unix:PATH (mode 0600), or HOST:PORT. Another host than this one needs tls.",
     "127.0.0.1:7443"},
    {"listen[].tls", kSection, "", "", "",
     "TLS 1.2 or newer; the files are read again when they "
     "change.",
     ""},
    {"listen[].tls.certificate", kText, "", "", "", "The chain of certificates, PEM.",
     "server.pem"},
    {"listen[].tls.key", kText, "", "", "", "The private key, PEM.", "server.key"},
    {"listen[].tls.client_ca", kText, "", "", "none: clients show no certificate",
     "Authorities of which every client must have a certificate, PEM.", "clients.pem"},
    {"reflection", KeyType::kBoolean, "", "", "false",
     "Whether gRPC reflection is served, on unix sockets only.", "true"},
    {"http", kSection, "", "", "", "Metrics and health over HTTP.", ""},
    {"http.address", kText, "", "", "127.0.0.1:9187",
     "HOST:PORT of /metrics, /healthz and /readyz; off for none.", "127.0.0.1:9090"},
    {"limits", kSection, "", "", "", "What the server may use.", ""},
    {"limits.syncs", kInteger, "", "", "8", "Syncs that run at once; others wait by priority.", "2",
     1, 1000},
    {"limits.ingest_streams", kInteger, "", "", "64", "Ingest streams at once.", "8", 1, 10000},
    {"limits.plugins", kInteger, "", "", "64", "Processes of plugins at once.", "16", 1, 10000},
    {"limits.memory", kBytes, "", "", "4 GiB", "Of all processes of plugins together.", "1 GiB"},
    {"stop_timeout", kDuration, "", "", "30 seconds",
     "How long running syncs may take to finish a commit group when the server stops.", "1 minute"},
    {"history", kSection, "", "", "", "What is kept of ended syncs, per connection.", ""},
    {"history.age", kDuration, "", "", "30 days", "Older ones go.", "7 days"},
    {"history.syncs", kInteger, "", "", "10000", "More than so many: the oldest go.", "100", 1,
     1e9},
    {"secrets", kSection, "", "", "", "How the server's secrets are kept.", ""},
    {"secrets.key", kText, "", "", "the file master.key of the data folder",
     "The key that protects them: file:PATH, env:NAME or credential:NAME (of systemd).",
     "file:/etc/tidemark/master.key"},
    {"secrets.next_key", kText, "", "", "a new master.key, where that is the key",
     "The key that `tidemark secret rotate` seals with; then secrets.key must name it before the "
     "next start. A file or credential is read by the rotation, a variable at the start.",
     "file:/etc/tidemark/next.key"},
    {"log", kSection, "", "", "", "The server's log.", ""},
    {"log.level", kText, "debug|info|warning|error|off", "", "info", "The least that is written.",
     "warning"},
    {"log.format", kText, "text|json", "", "text", "One line each.", "json"},
    {"log.file", kText, "", "", "stderr", "A file of mode 0600 that is rotated.",
     "/var/log/tidemark/tidemark.log"},
    {"log.max_bytes", kBytes, "", "", "100 MiB", "A larger file is rotated.", "10 MiB"},
    {"log.files", kInteger, "", "", "5", "How many files are kept.", "3", 1, 1000},
    {"alerts", KeyType::kAnything, "", "", "none",
     "Alert rules, or the path of a file that holds them.", "alerts.yaml"},
};

}  // namespace

KeyTable ServerKeys() { return kKeys; }

}  // namespace tidemark
