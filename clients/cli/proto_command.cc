// `tidemark proto`: the contract of servers, for clients in any language.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "commands.h"
#include "control/references.h"
#include "google/rpc/error_details.pb.h"
#include "proto_files.h"
#include "tidemark/v1/connector.pb.h"
#include "tidemark/v1/control.pb.h"
#include "tidemark/v1/ingest.pb.h"

namespace tidemark {
namespace {

struct ProtoOptions {
  std::string out;
  std::string descriptor_set;
};

absl::Status WriteFiles(const std::string& folder) {
  for (const ProtoFile& file : ProtoFiles()) {
    const std::filesystem::path path = std::filesystem::path(folder) / file.path;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
      return absl::UnknownError(absl::StrCat(path.parent_path().string(), ": ", error.message()));
    }
    if (absl::Status status = WriteTextFile(path.string(), file.text); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// A file behind those that it imports.
void AddWithImports(const google::protobuf::FileDescriptor* file, std::set<std::string>* known,
                    google::protobuf::FileDescriptorSet* set) {
  if (!known->insert(file->name()).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) {
    AddWithImports(file->dependency(i), known, set);
  }
  file->CopyTo(set->add_file());
}

std::string DescriptorSet() {
  google::protobuf::FileDescriptorSet set;
  std::set<std::string> known;
  for (const google::protobuf::FileDescriptor* file :
       {google::rpc::Status::descriptor()->file(), v1::TableDefinition::descriptor()->file(),
        v1::Sync::descriptor()->file(), v1::PushRequest::descriptor()->file()}) {
    AddWithImports(file, &known, &set);
  }
  return set.SerializeAsString();
}

ExitCode Write(Session& session, const ProtoOptions& options) {
  if (options.out.empty() == options.descriptor_set.empty()) {
    return session.Fail(
        AsUsage(absl::InvalidArgumentError("give --out DIR or --descriptor-set FILE")));
  }
  const std::string& target = options.out.empty() ? options.descriptor_set : options.out;
  const absl::Status status = options.out.empty()
                                  ? WriteTextFile(options.descriptor_set, DescriptorSet())
                                  : WriteFiles(options.out);
  if (!status.ok()) return session.Fail(AsLocal(status));
  session.Note(absl::StrCat("Written to ", target, "."));
  if (session.json()) session.PrintJson({{"written", target}});
  return ExitCode::kDone;
}

}  // namespace

void AddProtoCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<ProtoOptions>();
  CLI::App* command =
      app.add_subcommand("proto", "Write the proto files that clients of a server are made from");
  command->add_option("--out", options->out, "Into this folder");
  command->add_option("--descriptor-set", options->descriptor_set,
                      "As one google.protobuf.FileDescriptorSet with its imports");
  command->callback([options, action] {
    *action = [options](Session& session) { return Write(session, *options); };
  });
}

}  // namespace tidemark
