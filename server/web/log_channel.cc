#include <memory>

#include "web/alert_channels.h"

namespace tidemark {
namespace {

class LogChannel : public AlertChannel {
 public:
  explicit LogChannel(Log* log) : log_(*log) {}

  absl::Status Send(const AlertNotice& notice) override {
    const LogLevel level = notice.event == AlertEvent::kRecovered ? LogLevel::kInfo
                           : notice.severity == "critical"        ? LogLevel::kError
                                                                  : LogLevel::kWarning;
    log_.Write(level, {notice.connection, "", ""}, NoticeLine(notice));
    return absl::OkStatus();
  }

 private:
  Log& log_;
};

}  // namespace

std::unique_ptr<AlertChannel> MakeLogChannel(Log* log) { return std::make_unique<LogChannel>(log); }

}  // namespace tidemark
