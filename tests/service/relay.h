// A wire between a client and a server on unix sockets that can be cut.
#ifndef TIDEMARK_TESTS_SERVICE_RELAY_H_
#define TIDEMARK_TESTS_SERVICE_RELAY_H_

#include <atomic>
#include <string>
#include <thread>

#include "source/unique_fd.h"

namespace tidemark::test {

// Carries one connection. Cut() from any thread.
class Relay {
 public:
  // Listens on `from` at once; `to` is dialled when somebody comes.
  Relay(const std::string& from, const std::string& to);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Both ends see the end of the connection, with whatever was on its way lost.
  void Cut();

 private:
  void Carry();

  const std::string to_;
  UniqueFd listener_;
  std::atomic<bool> cut_ = false;
  std::thread carrier_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_RELAY_H_
