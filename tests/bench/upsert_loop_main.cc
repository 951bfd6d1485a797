// upsert_loop write|digest: the baseline of `make bench` and the check of what was written.
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/bench/upsert_loop.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "upsert_loop: " << status.message() << "\n";
  return 1;
}

int PrintDigest(const std::string& database) {
  const auto digest = tidemark::DigestTable(database);
  if (!digest.ok()) return Fail(digest.status());
  std::cout << digest->rows << " " << digest->digest << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The baseline of make bench");
  app.require_subcommand(1);
  tidemark::UpsertLoopOptions options;
  options.rows.seed = 1;
  std::string order = "ascending";
  int columns = 12;
  CLI::App* write = app.add_subcommand("write", "Upserts the generator's rows");
  write->add_option("--database", options.database)->required();
  write->add_option("--rows", options.rows.count)->required();
  write->add_option("--variant", options.rows.variant);
  write->add_option("--order", order)->check(CLI::IsMember({"ascending", "shuffled"}));
  write->add_option("--columns", columns)->check(CLI::IsMember({10, 12}));
  write->add_option("--commit-rows", options.commit_rows)->check(CLI::PositiveNumber);
  CLI::App* digest = app.add_subcommand("digest", "Prints rows and hash of a database's table");
  digest->add_option("--database", options.database)->required();
  CLI11_PARSE(app, argc, argv);

  if (digest->parsed()) return PrintDigest(options.database);
  options.rows.shuffled = order == "shuffled";
  options.system_columns = columns == 12;
  const absl::Status done = tidemark::RunUpsertLoop(options);
  return done.ok() ? 0 : Fail(done);
}
