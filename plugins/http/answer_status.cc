#include "http/answer_status.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tidemark::http {

absl::Status AnswerStatus(const HttpRequest& request, const HttpResponse& response) {
  if (response.status >= 200 && response.status < 300) return absl::OkStatus();
  const std::string what =
      absl::StrCat(request.method, " ", request.url.Shown(), ": answered ", response.status);
  switch (response.status) {
    case 401:
      return absl::UnauthenticatedError(
          absl::StrCat(what, ", the credentials are missing, wrong or expired"));
    case 403:
      return absl::PermissionDeniedError(
          absl::StrCat(what, ", the credentials are not allowed to read this"));
    case 404:
    case 410:
      return absl::NotFoundError(absl::StrCat(what, ", there is nothing at this address"));
    default:
      return absl::FailedPreconditionError(what);
  }
}

}  // namespace tidemark::http
