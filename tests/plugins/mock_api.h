// The mock API of the PyPI package fivetran-api-playground, for tests.
#ifndef TIDEMARK_TESTS_PLUGINS_MOCK_API_H_
#define TIDEMARK_TESTS_PLUGINS_MOCK_API_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/plugins/local_server.h"

namespace tidemark_testing {

// `playground start`, from the virtual environment that .ci/prepare makes.
class MockApi {
 public:
  explicit MockApi(const std::vector<std::string>& arguments = {});
  ~MockApi();

  bool ready() const { return server_->ready(); }
  std::string Url(absl::string_view path) const;
  // Of its last block of credentials, the valid one: the word after `label` in the line of `path`.
  std::string Credential(absl::string_view path, absl::string_view label) const;
  const LocalServer& server() const { return *server_; }

 private:
  std::string home_;
  int port_ = 0;
  std::unique_ptr<LocalServer> server_;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTS_PLUGINS_MOCK_API_H_
