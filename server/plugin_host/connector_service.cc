#include "plugin_host/connector_service.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "core/setting.h"
#include "plugin_host/plugin_instance.h"
#include "plugin_host/plugin_library.h"
#include "plugin_host/read_call.h"
#include "plugin_host/update_call.h"
#include "tidemark/v1/connector.grpc.pb.h"
#include "wire/call_status.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"
#include "wire/value_messages.h"

namespace tidemark {

class ConnectorService::Implementation final : public v1::Connector::Service {
 public:
  using UpdateStream = grpc::ServerReaderWriter<v1::UpdateResponse, v1::UpdateRequest>;

  explicit Implementation(absl::StatusOr<std::shared_ptr<const PluginLibrary>> library)
      : library_(std::move(library)) {}

  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeRequest*,
                        v1::DescribeResponse* response) override {
    if (!library_.ok()) return AnswerCall(library_.status(), context);
    DescriptionToMessage((*library_)->description(), response);
    return grpc::Status::OK;
  }

  grpc::Status Check(grpc::ServerContext* context, const v1::CheckRequest* request,
                     v1::CheckResponse*) override {
    return Call(context, request->configuration(),
                [](PluginInstance& instance) { return instance.Check(); });
  }

  grpc::Status Schema(grpc::ServerContext* context, const v1::SchemaRequest* request,
                      v1::SchemaResponse* response) override {
    return Call(context, request->configuration(), [&](PluginInstance& instance) {
      if (absl::Status status = instance.Schema(); !status.ok()) return status;
      const PluginTables& tables = instance.tables();
      for (uint32_t i = 0; i < tables.size(); ++i) {
        TableToMessage(tables.at(i), response->add_tables());
      }
      return absl::OkStatus();
    });
  }

  grpc::Status ValidateState(grpc::ServerContext* context, const v1::ValidateStateRequest* request,
                             v1::ValidateStateResponse*) override {
    return Call(context, request->configuration(), [&](PluginInstance& instance) {
      absl::StatusOr<std::vector<StateEntry>> states = StateEntriesFromMessages(request->states());
      return states.ok() ? instance.ValidateState(*states) : states.status();
    });
  }

  grpc::Status Update(grpc::ServerContext* context, UpdateStream* stream) override;
  grpc::Status Read(grpc::ServerContext* context, const v1::ReadRequest* request,
                    grpc::ServerWriter<v1::UpdateResponse>* stream) override;

  bool Stop(absl::Duration timeout);

 private:
  // Counts the calls that are inside, and lets none in once stopped.
  bool Enter();
  void Leave();

  template <typename Body>
  grpc::Status Call(grpc::ServerContext* context, const v1::Configuration& configuration,
                    Body body);
  // Makes instance_ one of this configuration.
  absl::Status Prepare(const v1::Configuration& configuration)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(instance_mutex_);
  absl::StatusOr<std::unique_ptr<PluginInstance>> TakeInstance(
      const v1::Configuration& configuration);

  const absl::StatusOr<std::shared_ptr<const PluginLibrary>> library_;

  Mutex instance_mutex_;  // held while the plugin works: [instance] is one call at a time
  std::string configuration_ ABSL_GUARDED_BY(instance_mutex_);  // of instance_, serialized
  std::unique_ptr<PluginInstance> instance_ ABSL_GUARDED_BY(instance_mutex_);

  Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<UpdateCall*> updates_ ABSL_GUARDED_BY(mutex_);
  std::set<ReadCall*> reads_ ABSL_GUARDED_BY(mutex_);
};

bool ConnectorService::Implementation::Enter() {
  MutexLock lock(mutex_);
  if (stopped_) return false;
  ++inside_;
  return true;
}

void ConnectorService::Implementation::Leave() {
  MutexLock lock(mutex_);
  --inside_;
  changed_.SignalAll();
}

absl::Status ConnectorService::Implementation::Prepare(const v1::Configuration& configuration) {
  if (!library_.ok()) return library_.status();
  std::string serialized = configuration.SerializeAsString();
  if (instance_ != nullptr && serialized == configuration_) return absl::OkStatus();
  absl::StatusOr<std::vector<Setting>> settings = SettingsFromMessage(configuration);
  if (!settings.ok()) return settings.status();
  instance_ = nullptr;  // before the next one: both may want the same file or port
  absl::StatusOr<std::unique_ptr<PluginInstance>> created =
      PluginInstance::Create(*library_, *settings);
  if (!created.ok()) return created.status();
  instance_ = *std::move(created);
  configuration_ = std::move(serialized);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PluginInstance>> ConnectorService::Implementation::TakeInstance(
    const v1::Configuration& configuration) {
  MutexLock lock(instance_mutex_);
  if (absl::Status prepared = Prepare(configuration); !prepared.ok()) return prepared;
  if (!instance_->has_schema()) {
    if (absl::Status status = instance_->Schema(); !status.ok()) return status;
  }
  return std::move(instance_);
}

template <typename Body>
grpc::Status ConnectorService::Implementation::Call(grpc::ServerContext* context,
                                                    const v1::Configuration& configuration,
                                                    Body body) {
  if (!Enter()) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the host is shutting down");
  absl::Status status;
  {
    MutexLock lock(instance_mutex_);
    status = Prepare(configuration);
    if (status.ok()) status = body(*instance_);
  }
  Leave();
  return AnswerCall(status, context);
}

grpc::Status ConnectorService::Implementation::Update(grpc::ServerContext* context,
                                                      UpdateStream* stream) {
  v1::UpdateRequest request;
  if (!stream->Read(&request)) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call ended before Start");
  }
  if (!Enter()) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the host is shutting down");
  UpdateTransport transport;
  transport.read = [stream](v1::UpdateRequest* next) { return stream->Read(next); };
  transport.write = [stream](const v1::UpdateResponse& next) { return stream->Write(next); };
  transport.cancelled = [context] { return context->IsCancelled(); };
  transport.abort = [context] { context->TryCancel(); };
  absl::StatusOr<std::unique_ptr<PluginInstance>> instance =
      absl::InvalidArgumentError("the first request of Update must be Start");
  if (request.has_start()) instance = TakeInstance(request.start().configuration());
  if (!instance.ok()) {
    SendFailure(transport, instance.status());
  } else {
    UpdateCall call(std::move(transport), *std::move(instance));
    {
      MutexLock lock(mutex_);
      updates_.insert(&call);
    }
    call.Run(request.start());
    MutexLock lock(mutex_);
    updates_.erase(&call);
  }
  Leave();
  return grpc::Status::OK;
}

grpc::Status ConnectorService::Implementation::Read(
    grpc::ServerContext* context, const v1::ReadRequest* request,
    grpc::ServerWriter<v1::UpdateResponse>* stream) {
  if (!Enter()) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the host is shutting down");
  UpdateTransport transport;
  transport.write = [stream](const v1::UpdateResponse& next) { return stream->Write(next); };
  transport.cancelled = [context] { return context->IsCancelled(); };
  transport.abort = [context] { context->TryCancel(); };
  {
    // The whole time: reads are [update], and share the instance with the calls between them.
    MutexLock lock(instance_mutex_);
    absl::Status ready = Prepare(request->configuration());
    if (ready.ok() && !instance_->has_schema()) ready = instance_->Schema();
    if (!ready.ok()) {
      SendFailure(transport, ready);
    } else {
      ReadCall call(std::move(transport), instance_.get());
      {
        MutexLock inner(mutex_);
        reads_.insert(&call);
      }
      if (!call.Run(*request)) instance_ = nullptr;
      MutexLock inner(mutex_);
      reads_.erase(&call);
    }
  }
  Leave();
  return grpc::Status::OK;
}

bool ConnectorService::Implementation::Stop(absl::Duration timeout) {
  Clock& clock = Clock::Real();
  const absl::Duration deadline = clock.Monotonic() + timeout;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    for (UpdateCall* update : updates_) update->Abort();
    for (ReadCall* read : reads_) read->Abort();
    while (inside_ > 0) {
      const absl::Duration left = deadline - clock.Monotonic();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(mutex_, left);
    }
  }
  // Nobody is inside any more. The host's process ends without destroying this service.
  MutexLock lock(instance_mutex_);
  instance_ = nullptr;
  return true;
}

ConnectorService::ConnectorService(absl::StatusOr<std::shared_ptr<const PluginLibrary>> library)
    : implementation_(std::make_unique<Implementation>(std::move(library))) {}

ConnectorService::~ConnectorService() = default;

grpc::Service* ConnectorService::service() { return implementation_.get(); }

bool ConnectorService::Stop(absl::Duration timeout) { return implementation_->Stop(timeout); }

}  // namespace tidemark
