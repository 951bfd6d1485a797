// What an HTTP answer means for a sync.
#ifndef TIDEMARK_HTTP_ANSWER_STATUS_H_
#define TIDEMARK_HTTP_ANSWER_STATUS_H_

#include "absl/status/status.h"
#include "http/http_client.h"

namespace tidemark::http {

// OK for 2xx. UNAUTHENTICATED for 401 and PERMISSION_DENIED for 403: the credentials have to be
// changed. NOT_FOUND for 404 and 410, FAILED_PRECONDITION for the rest: the configuration has to
// be changed. One sentence that names the request, never what was sent with it.
absl::Status AnswerStatus(const HttpRequest& request, const HttpResponse& response);

}  // namespace tidemark::http

#endif  // TIDEMARK_HTTP_ANSWER_STATUS_H_
