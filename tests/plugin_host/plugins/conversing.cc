// A plugin for the conversation around update(): logs each acknowledgement, waits for commits,
// sleeps until it is interrupted. The option `mode` says what update() does.
#include <condition_variable>
#include <mutex>

#include "tidemark/connector.h"

class Conversing final : public tidemark::Connector,
                         public tidemark::Acknowledgeable,
                         public tidemark::Interruptible {
 public:
  Conversing(tidemark::Host host, std::string mode) : host_(host), mode_(std::move(mode)) {}
  ~Conversing() override { host_.Log(tidemark::LogLevel::kInfo, "destroyed"); }
  static absl::StatusOr<std::unique_ptr<Conversing>> Create(const tidemark::Config& config) {
    return std::make_unique<Conversing>(config.host(), std::string(config.GetString("mode")));
  }
  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{tidemark::Table("t").Key("id", tidemark::kLong)};
  }

  absl::Status Update(const tidemark::UpdateRequest&, tidemark::Sink& sink) override {
    host_.Log(tidemark::LogLevel::kInfo, "update begins");
    if (absl::Status s = sink.Upsert("t", {{"id", 1}}); !s.ok()) return s;
    if (absl::Status s = sink.Checkpoint("1"); !s.ok()) return s;
    if (mode_ == "wait") {
      if (absl::Status s = sink.Wait(sink.last_checkpoint()); !s.ok()) return s;
      return sink.Warn("the commit was seen");
    }
    if (mode_ == "block") {  // as in a read of a socket: only interrupt() ends it
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return interrupted_; });
      return absl::CancelledError("interrupted");
    }
    return absl::OkStatus();
  }

  void Acknowledged(const tidemark::Acknowledgement& acknowledgement) override {
    std::string text = absl::StrCat("durable ", acknowledgement.durable);
    for (const tidemark::StateEntry& entry : acknowledgement.releasable) {
      absl::StrAppend(&text, ", releasable ", entry.body);
    }
    host_.Log(tidemark::LogLevel::kInfo, text);
  }

  void Interrupt() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

 private:
  const tidemark::Host host_;
  const std::string mode_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

TIDEMARK_EXPORT_CONNECTOR(Conversing, .id = "conversing", .version = "1.0.0",
                          .options = {{"mode", tidemark::kString, tidemark::Default("none"),
                                       "wait, block or none"}});
