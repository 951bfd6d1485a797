// The files that `tidemark init` writes, as they stand in templates/.
#ifndef TIDEMARK_CLIENTS_CLI_TEMPLATES_H_
#define TIDEMARK_CLIENTS_CLI_TEMPLATES_H_

#include <vector>

namespace tidemark {

// Texts live for ever. "example" and "ExampleConnector" stand for the user's name.
struct TemplateFile {
  const char* kind;  // "connector" or "connection"
  const char* name;  // of the file
  const char* text;
};

std::vector<TemplateFile> TemplateFiles();

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_TEMPLATES_H_
