#include "http/retrying_client.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "http/answer_status.h"
#include "tidemark/status.h"

namespace tidemark::http {
namespace {

constexpr int kMaxBusy = 10;  // answers 429 in a row, whatever max_retries says
constexpr char kStatusPayload[] = "http/status";

bool IsTransient(int status) {
  return status == 429 || status == 408 || status == 425 ||
         (status >= 500 && status != 501 && status != 505);
}

// The error a transient answer becomes when there is no retry left.
absl::Status AnswerError(const HttpRequest& request, const HttpResponse& response, int attempts) {
  const std::string text =
      absl::StrCat(request.method, " ", request.url.Shown(), ": answered ", response.status, ", ",
                   attempts, attempts == 1 ? " attempt" : " attempts");
  absl::Status status =
      response.status == 429 ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
  status.SetPayload(kStatusPayload, absl::Cord(absl::StrCat(response.status)));
  return response.retry_after ? WithRetryAfter(status, *response.retry_after) : status;
}

std::string Cause(const absl::Status& status) {
  if (const int http = FailedStatus(status); http != 0) return absl::StrCat("HTTP ", http);
  return status.code() == absl::StatusCode::kDeadlineExceeded ? "timeout" : "no connection";
}

}  // namespace

int FailedStatus(const absl::Status& status) {
  int number = 0;
  const auto payload = status.GetPayload(kStatusPayload);
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &number)) return 0;
  return number;
}

absl::Duration RetryingClient::Delay(int attempt) {
  const absl::Duration full =
      std::min(options_.first_delay * std::exp2(std::min(attempt, 20)), options_.max_delay);
  return full * absl::Uniform(random_, 0.5, 1.0);
}

absl::StatusOr<HttpResponse> RetryingClient::Send(const HttpRequest& request, const Sleep& sleep,
                                                  std::optional<int> max_retries) {
  const int retries = std::min(max_retries.value_or(options_.max_retries), options_.max_retries);
  // Being asked to wait is not a failure: it does not use up the retries, but has an end, too.
  const int max_busy = std::max(options_.max_retries, kMaxBusy);
  for (int attempt = 0, failed = 0, busy = 0;; ++attempt) {
    absl::StatusOr<HttpResponse> response = client_->Send(request);
    absl::Status failure;
    if (response.ok()) {
      if (!IsTransient(response->status)) return response;
      failure = AnswerError(request, *response, attempt + 1);
    } else if (absl::IsUnavailable(response.status()) ||
               absl::IsDeadlineExceeded(response.status())) {
      failure = response.status();
    } else {
      return response.status();
    }
    const absl::Duration asked = RetryAfter(failure);
    const bool is_busy = FailedStatus(failure) == 429;
    if (is_busy ? busy++ >= max_busy : failed++ >= retries) return failure;
    if (asked > options_.max_wait) return failure;
    ++retries_[Cause(failure)];
    absl::Status slept = sleep(std::max(asked, Delay(attempt)));
    if (!slept.ok()) return slept;
  }
}

absl::StatusOr<HttpResponse> RetryingClient::Fetch(const HttpRequest& request, const Sleep& sleep) {
  absl::StatusOr<HttpResponse> response = Send(request, sleep);
  if (!response.ok()) return response;
  absl::Status status = AnswerStatus(request, *response);
  if (!status.ok()) return status;
  return response;
}

std::string RetryingClient::DescribeRetries() const {
  uint64_t total = 0;
  std::vector<std::string> causes;
  for (const auto& [cause, count] : retries_) {
    total += count;
    causes.push_back(absl::StrCat(cause, ": ", count));
  }
  if (total == 0) return "";
  return absl::StrCat(total, total == 1 ? " request was repeated (" : " requests were repeated (",
                      absl::StrJoin(causes, ", "), ")");
}

}  // namespace tidemark::http
