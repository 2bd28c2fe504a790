#pragma once
// What the actors of one run share: exported variables, services' addresses, barriers, and who sits
// at which endpoint. Fibers wait here for each other; whoever waits says for what, so that a
// deadlock can be told in words. It opens no socket.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/net/endpoint.h"
#include "harness/run/render.h"
#include "harness/sockets/loop.h"

namespace netrig {

class Blackboard {
 public:
  explicit Blackboard(Loop& loop) : loop_(loop) {}

  // ---- variables that belong to the run: "server.port", exported names
  void set(const std::string& name, Value value);
  // Names that some actor will set sooner or later; get() waits for these.
  void promise(const std::string& name) { promised_.insert(name); }
  bool promised(const std::string& name) const { return promised_.contains(name); }
  // Waits for a promised name. The error says that it was not set, or TIMEOUT's sentence.
  std::expected<Value, std::string> get(const std::string& name);
  const std::map<std::string, Value>& values() const { return values_; }

  // ---- barriers
  void expect_at_barrier(const std::string& name, uint64_t parties) {
    barriers_[name].parties += parties;
  }
  // Waits until as many fibers as expected stand there. False if the fiber's deadline passed first.
  bool arrive(const std::string& name);
  uint64_t missing_at_barrier(const std::string& name) const;

  // ---- who is who
  void sits_at(const Endpoint& endpoint, const std::string& instance);
  // The instance at that endpoint, else the endpoint as text.
  std::string who(const Endpoint& endpoint) const;

 private:
  struct Barrier {
    uint64_t parties = 0;
    uint64_t round = 0;
    std::vector<FiberId> waiting;
  };

  Loop& loop_;
  std::map<std::string, Value> values_;
  std::set<std::string> promised_;
  std::map<std::string, std::vector<FiberId>> waiting_for_value_;
  std::map<std::string, Barrier> barriers_;
  std::map<Endpoint, std::string> seats_;
};

}  // namespace netrig
