// `tidemark init connector|connection`: a folder to start from.
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "commands.h"
#include "control/references.h"
#include "templates.h"

namespace tidemark {
namespace {

struct InitOptions {
  std::string folder;
  std::string language = "cpp";
};

// "my-source" -> "my_source": part of names of files, ids and targets.
std::string Identifier(const std::string& folder) {
  std::string name = std::filesystem::path(folder).filename().string();
  for (char& c : name) {
    const unsigned char byte = static_cast<unsigned char>(c);
    c = absl::ascii_isalnum(byte) ? static_cast<char>(absl::ascii_tolower(byte)) : '_';
  }
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) {
    name.insert(0, "c_");
  }
  return name;
}

std::string ClassName(const std::string& identifier) {
  std::string name;
  bool upper = true;
  for (const char c : identifier) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name.push_back(upper ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c);
    upper = false;
  }
  return absl::StrCat(name, "Connector");
}

ExitCode Init(Session& session, const std::string& kind, const InitOptions& options) {
  if (options.language != "cpp") {
    return session.Fail(AsUsage(absl::UnimplementedError(
        absl::StrCat("init connector --language ", options.language, " is not built yet"))));
  }
  std::error_code error;
  if (std::filesystem::exists(options.folder, error) &&
      !std::filesystem::is_empty(options.folder, error)) {
    return session.Fail(AsUsage(absl::AlreadyExistsError(
        absl::StrCat(options.folder, " is there and not empty; name a new folder"))));
  }
  std::filesystem::create_directories(options.folder, error);
  if (error) {
    return session.Fail(AsLocal(absl::FailedPreconditionError(
        absl::StrCat("cannot make ", options.folder, ": ", error.message()))));
  }
  const std::string name = Identifier(options.folder);
  std::vector<std::string> written;
  for (const TemplateFile& file : TemplateFiles()) {
    if (kind != file.kind) continue;
    const std::string target = file.name == std::string("gitignore") ? ".gitignore" : file.name;
    const std::string text =
        absl::StrReplaceAll(file.text, {{"ExampleConnector", ClassName(name)}, {"example", name}});
    const absl::Status status = WriteTextFile(absl::StrCat(options.folder, "/", target), text);
    if (!status.ok()) return session.Fail(AsLocal(status));
    written.push_back(target);
  }
  if (session.json()) {
    session.PrintJson({{"folder", options.folder}, {"files", written}});
    return ExitCode::kDone;
  }
  session.Note(absl::StrCat("Wrote ", options.folder, ": ", absl::StrJoin(written, ", "), "\nRead ",
                            options.folder, "/README.md for what to do next."));
  return ExitCode::kDone;
}

}  // namespace

void AddInitCommand(CLI::App& app, Action* action) {
  CLI::App* group = app.add_subcommand("init", "Make a folder to start from");
  group->require_subcommand(1);
  auto options = std::make_shared<InitOptions>();
  const auto add = [&](const char* kind, const char* help) {
    CLI::App* command = group->add_subcommand(kind, help);
    command->add_option("FOLDER", options->folder, "The new folder; its name is the name")
        ->required();
    command->callback([options, action, kind = std::string(kind)] {
      *action = [options, kind](Session& session) { return Init(session, kind, *options); };
    });
    return command;
  };
  add("connector", "A connector in C++, with a test")
      ->add_option("--language", options->language, "cpp (python is not built yet)")
      ->check(CLI::IsMember({"cpp", "python"}));
  add("connection", "A connection file");
}

}  // namespace tidemark
