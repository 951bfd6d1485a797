// The gRPC service of Control: one table that names each method's work.
#ifndef TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_
#define TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "service/control_work.h"
#include "service/method_rules.h"
#include "service/raw_service.h"
#include "service/request_call.h"
#include "wire/parsed_size.h"

namespace tidemark {

// Constant once made; everything it has stands in ControlService::Work. A method that has no line
// in the table is UNIMPLEMENTED, one that has no rule is refused by the gate.
class ControlEndpoint {
 public:
  using Work = ControlService::Work;

  // Borrows `work`.
  static std::unique_ptr<grpc::Service> NewService(Work* work);

  explicit ControlEndpoint(Work* work);
  ControlEndpoint(const ControlEndpoint&) = delete;
  ControlEndpoint& operator=(const ControlEndpoint&) = delete;

 private:
  class UnaryCall;
  using Message = google::protobuf::Message;
  using Function =
      std::function<absl::Status(ControlCall&, const Message& request, Message* response)>;
  struct Method {
    std::string name;  // the whole one
    const MethodRule* rule = nullptr;
    const Message* request = nullptr;   // an empty one
    const Message* response = nullptr;  // likewise
    std::unique_ptr<const ParsedSize> request_size;
    Function function;  // of unary methods
  };
  using Reactor = RawService::Reactor;

  // Lines of the table.
  Method* Add(const char* name, const Message& request, const Message& response);
  template <typename Theme, typename Request, typename Response>
  void Unary(const char* name, Theme* theme,
             absl::Status (Theme::*function)(ControlCall&, const Request&, Response*)) {
    Add(name, Request::default_instance(), Response::default_instance())->function =
        [=](ControlCall& call, const Message& request, Message* response) {
          return (theme->*function)(call, static_cast<const Request&>(request),
                                    static_cast<Response*>(response));
        };
  }
  void AddConnections();
  void AddSources();
  void AddSyncs();
  void AddState();
  void AddLetters();
  void AddAccess();

  Reactor* Open(grpc::CallbackServerContext* context, const std::string& method) const;
  RequestCall::Parts PartsOf(const Method& method, grpc::CallbackServerContext* context) const;
  Reactor* OpenWatch(const RequestCall::Parts& parts) const;
  Reactor* OpenVerify(const RequestCall::Parts& parts, const Method& method) const;
  // The work of a call under its idempotency key, with its line in the audit log.
  static absl::Status Run(Work* work, const Method& method, ControlCall& call,
                          const Message& request, Message* response,
                          const std::function<absl::Status(ControlCall&)>& function);

  Work* const work_;
  std::map<std::string, Method> methods_;  // by their short names
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_ENDPOINT_H_
