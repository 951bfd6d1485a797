// The connector for HTTP APIs that answer in JSON.
#ifndef TIDEMARK_REST_REST_CONNECTOR_H_
#define TIDEMARK_REST_REST_CONNECTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "http/http_client.h"
#include "rest/api_session.h"
#include "rest/rest_options.h"
#include "tidemark/connector.h"

namespace tidemark::rest {

// Each endpoint is a table with an entry of state of its own.
class RestConnector final : public Connector,
                            public Checkable,
                            public Interruptible,
                            public RowReader,
                            public StateValidator {
 public:
  static absl::StatusOr<std::unique_ptr<RestConnector>> Create(const Config& config);

  absl::StatusOr<tidemark::Schema> Schema() override;
  // Asks the first endpoint for its first page.
  absl::Status Check() override;
  absl::Status Update(const UpdateRequest& request, Sink& sink) override;
  void Interrupt() override { client_->Interrupt(); }
  absl::Status ValidateState(absl::Span<const StateEntry> entries) override;
  // A whole table only: what an API answers for one record often has another shape than the same
  // record in a list, so that comparing it would find differences where there are none.
  uint32_t ReadModes(const Table&) override { return kReadWhole; }
  absl::Status ReadRows(const ReadRequest& request, Sink& sink) override;

 private:
  RestConnector(RestOptions options, std::unique_ptr<http::HttpClient> client, Host host)
      : options_(std::move(options)), client_(std::move(client)), host_(host) {}

  absl::Status UpdateTables(const UpdateRequest& request, ApiSession& session, Sink& sink);
  absl::Status UpdateTable(const EndpointOptions& endpoint, const UpdateRequest& request,
                           ApiSession& session, Sink& sink);

  const RestOptions options_;
  const std::unique_ptr<http::HttpClient> client_;
  const Host host_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_REST_CONNECTOR_H_
