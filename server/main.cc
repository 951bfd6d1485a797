// `tidemarkd`: the server. Flags -> settings -> Server -> wait for a signal.
//
//   SIGTERM, SIGINT  once: ends in order, syncs commit what they have; again: they are cut; a third
//                    time: at once
//   SIGHUP           looks at the folder of connections
//
// Exit codes as those of `tidemark`: 0 ended in order, 1 could not start, 2 flags or configuration.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/exit_code.h"
#include "control/version.h"
#include "core/failpoint.h"
#include "service/server.h"
#include "service/settings.h"
#include "web/alert_rules.h"
#include "web/alerts.h"
#include "web/http_server.h"
#include "web/metrics.h"
#include "web/systemd_notice.h"

namespace tidemark {
namespace {

struct Flags {
  std::string config;
  bool check_config = false;
  bool version = false;
};

ExitCode Fail(const absl::Status& status) {
  std::fprintf(stderr, "tidemarkd: %s\n", std::string(status.message()).c_str());
  return IsUsage(status) ? ExitCode::kUsage : ExitCode::kFailed;
}

absl::StatusOr<AlertRules> RulesOf(const ServerSettings& settings, Redactor* redactor) {
  if (!settings.alerts.has_value()) return AlertRules();
  return LoadAlertRules(*settings.alerts, settings.alerts_file, redactor);
}

// What watches a server from outside: numbers, health, alerts.
class Watchers {
 public:
  absl::Status Open(Server& server) {
    absl::StatusOr<AlertRules> rules = RulesOf(server.settings(), &server.redactor());
    if (!rules.ok()) return rules.status();
    metrics_ = std::make_unique<Metrics>(
        Metrics::Parts{&server.connections(), &server.syncs(), &Clock::Real()});
    server.AddListener(metrics_.get());
    Alerts::Parts parts;
    parts.catalog = &server.catalog();
    parts.connections = &server.connections();
    parts.syncs = &server.syncs();
    parts.metrics = metrics_.get();
    parts.redactor = &server.redactor();
    parts.log = &server.log();
    parts.clock = &Clock::Real();
    parts.authentication_failures = [&server] { return server.failed_callers(); };
    absl::StatusOr<std::unique_ptr<Alerts>> alerts = Alerts::Open(*std::move(rules), parts);
    if (!alerts.ok()) return alerts.status();
    alerts_ = *std::move(alerts);
    server.AddListener(alerts_.get());
    return absl::OkStatus();
  }

  absl::Status Start(Server& server) {
    alerts_->Start();
    if (server.settings().http_address.empty()) return absl::OkStatus();
    HttpServer::Options options;
    options.address = server.settings().http_address;
    options.metrics = [this] { return metrics_->Exposition(); };
    options.ready = [&server] {
      const absl::Status ready = server.Ready();
      return ready.ok() ? CatalogWritable(server.catalog()) : ready;
    };
    absl::StatusOr<std::unique_ptr<HttpServer>> http = HttpServer::Start(std::move(options));
    if (!http.ok()) return http.status();
    http_ = *std::move(http);
    server.log().Write(LogLevel::kInfo, {},
                       absl::StrCat("metrics and health on http://", http_->address()));
    return absl::OkStatus();
  }

  void Stop() {
    http_ = nullptr;
    if (alerts_ != nullptr) alerts_->Stop();
  }

 private:
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<HttpServer> http_;
};

sigset_t OurSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

// What every thread inherits, and limits: before there is any thread.
void PrepareProcess() {
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // A core file would hold the secrets of every connection.
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  struct rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // Threads come and go: fewer heaps, and no large piece in them, so that less lies idle there.
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

// Until Stop() is done; further signals hurry it.
void StopInOrder(Server& server) {
  std::atomic<bool> done{false};
  std::thread stopping([&server, &done] {
    server.Stop();
    done = true;
  });
  const sigset_t signals = OurSignals();
  for (int hurry = 0; !done;) {
    const struct timespec step = {0, 50'000'000};
    const int number = sigtimedwait(&signals, nullptr, &step);
    if (number != SIGTERM && number != SIGINT) continue;
    if (++hurry > 1) _exit(static_cast<int>(ExitCode::kInterrupted));
    server.StopNow();
  }
  stopping.join();
}

ExitCode Serve(const ServerSettings& settings) {
  absl::StatusOr<std::unique_ptr<Server>> opened = Server::Open(settings);
  if (!opened.ok()) return Fail(opened.status());
  Watchers watchers;  // stop after the server
  Server& server = **opened;
  absl::Status status = watchers.Open(server);
  if (status.ok()) status = server.Start();
  if (status.ok()) status = watchers.Start(server);
  if (!status.ok()) {
    server.Stop();
    return Fail(status);
  }
  const std::vector<std::string> addresses = server.addresses();
  server.log().Write(
      LogLevel::kInfo, {},
      absl::StrCat(EngineVersion(), " serves ", server.connections().size(), " connections",
                   addresses.empty() ? "" : " on ", absl::StrJoin(addresses, ", ")));
  NotifySystemd("READY=1");
  const sigset_t signals = OurSignals();
  while (true) {
    const struct timespec pause = {10, 0};
    const int number = sigtimedwait(&signals, nullptr, &pause);
    if (number == SIGTERM || number == SIGINT) break;
    if (number < 0 && errno == EAGAIN) malloc_trim(0);  // what syncs left goes back to the system
    if (number != SIGHUP) continue;
    NotifySystemd("RELOADING=1");
    server.Reload();
    NotifySystemd("READY=1");
  }
  NotifySystemd("STOPPING=1");
  server.log().Write(LogLevel::kInfo, {}, "the server stops");
  StopInOrder(server);
  watchers.Stop();
  server.log().Write(LogLevel::kInfo, {}, "the server has stopped");
  return ExitCode::kDone;
}

absl::StatusOr<ServerSettings> Settings(const Flags& flags) {
  if (flags.config.empty()) return DefaultServerSettings();
  return LoadServerSettings(flags.config);
}

ExitCode Run(int argc, char** argv) {
  CLI::App app("The Tidemark server: syncs connections by schedule and on request.", "tidemarkd");
  Flags flags;
  app.add_option("--config", flags.config, "The configuration (tidemarkd.yaml)");
  app.add_flag("--check-config", flags.check_config, "Check the configuration and end");
  app.add_flag("--version", flags.version, "Print the version and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return static_cast<ExitCode>(app.exit(help));
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "tidemarkd: %s\n`tidemarkd --help` shows the options.\n", error.what());
    return ExitCode::kUsage;
  }
  if (flags.version) {
    std::printf("%s\n", EngineVersion().c_str());
    return ExitCode::kDone;
  }
  const absl::StatusOr<ServerSettings> settings = Settings(flags);
  if (!settings.ok()) return Fail(settings.status());
  if (flags.check_config) {
    Redactor redactor;
    const absl::StatusOr<AlertRules> rules = RulesOf(*settings, &redactor);
    if (!rules.ok()) return Fail(rules.status());
    std::printf("%s: ok\n", flags.config.empty() ? "built-in defaults" : flags.config.c_str());
    return ExitCode::kDone;
  }
  PrepareProcess();
  return Serve(*settings);
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  if (const absl::Status armed = tidemark::ArmFailpointsFromEnvironment(); !armed.ok()) {
    return static_cast<int>(tidemark::Fail(tidemark::AsUsage(armed)));
  }
  return static_cast<int>(tidemark::Run(argc, argv));
}
