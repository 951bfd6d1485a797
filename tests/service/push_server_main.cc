// push_server FOLDER: takes pushes into the connections of FOLDER (push_server.h) until its
// standard input ends.
#include <unistd.h>

#include <iostream>

#include "core/failpoint.h"
#include "tests/service/push_server.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: push_server FOLDER\n";
    return 2;
  }
  if (absl::Status armed = tidemark::ArmFailpointsFromEnvironment(); !armed.ok()) {
    std::cerr << armed << "\n";
    return 2;
  }
  auto server = tidemark::test::PushServer::Open(argv[1]);
  if (!server.ok()) {
    std::cerr << "push_server: " << server.status() << "\n";
    return 1;
  }
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}
