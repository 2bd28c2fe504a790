#pragma once
// One actor instance while it runs: its host's sockets, the names it gave them, its variables, and
// the books it shares with the others. The verbs (verbs_*.cc) act on this and on nothing else.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time_scale.h"
#include "harness/run/blackboard.h"
#include "harness/run/journal.h"
#include "harness/run/ledger.h"
#include "harness/run/matching.h"
#include "harness/run/result.h"
#include "harness/scenario/model.h"
#include "harness/sockets/socket_api.h"
#include "harness/sockets/world.h"

namespace netrig {

// What a fiber is at, for the words of a deadlock.
struct Waiting {
  std::string instance;
  Location at;
  std::string what;  // "recv", "accept of its first connection"
};

// What every part of a running exchange may use.
struct Stage {
  const Scenario& scenario;
  World& world;
  Loop& loop;
  Journal& journal;
  Blackboard& blackboard;
  Ledger& ledger;
  uint64_t seed;
  std::map<FiberId, Waiting> waiting;
  // The endpoint that an address means for an actor of `host`; templates are rendered with
  // `variables`.
  std::function<std::expected<Endpoint, std::string>(const Address&, const std::string& host,
                                                     Variables& variables)>
      resolve;
  // Something did not go as the scenario says: the run ends with it.
  std::function<void(Finding)> failed;
  // Room for one read. All fibers share it: what a call put there is gone once another one waits.
  Bytes scratch = {};
  // Of every limit that the scenario gives: `within` and the like.
  TimeScale time_scale = {};
};

inline constexpr size_t kScratchOctets = 65536;
inline Bytes& scratch(Stage& stage) {
  if (stage.scratch.empty()) stage.scratch.resize(kScratchOctets);
  return stage.scratch;
}

// A socket of an actor and what is known of it.
struct OpenSocket {
  Socket socket;
  Transport transport = Transport::kTcp;
  bool transport_known = false;         // false for combinations without a name here
  uint64_t connection = 0;              // number in the journal; 0: none
  Endpoint local, remote;               // of the connection
  std::optional<Endpoint> last_sender;  // datagrams: where an answer goes
  bool connected = false;               // has a peer of its own
  bool passed_on = false;  // somebody else got it, too (SCM_RIGHTS), and may read from it
};

class ActorRun {
 public:
  // `name`: "client", "client-3", "server#2"; `index`: the instance's number, `${i}`.
  ActorRun(Stage& stage, const Actor& actor, std::string name, int64_t index);

  Stage& stage;
  const Actor& actor;
  const std::string name;
  SocketApi& api;
  // Shared by `together` branches; loop variables are not here (see Scope).
  std::map<std::string, Value> variables;

  // ---- sockets by name; "" is the current one, the newest that is still open
  // Shared, so that a socket closed by another branch does not vanish under the one that waits on
  // it.
  std::shared_ptr<OpenSocket> find(const std::string& socket_name);
  OpenSocket& add(const std::string& socket_name, OpenSocket socket);
  void forget(const std::string& socket_name);
  std::vector<std::string> socket_names() const { return order_; }

  // Books a connection that has just been made: journal, ledger, who sits where.
  void book_connection(OpenSocket& socket, bool accepted);
  // Books octets that went through the socket: journal, ledger.
  void book_transfer(const Step& step, OpenSocket& socket, bool sent, ByteView data,
                     const std::optional<Endpoint>& peer = std::nullopt);
  // Closes one socket; what nobody read or accepted is a finding, unless the actor ignores
  // leftovers.
  std::optional<Finding> close_socket(const std::string& socket_name, const char* how);
  // Closes everything, newest first: streams and listeners, and with `datagrams` those sockets too.
  std::vector<Finding> end(const char* how, bool datagrams);

 private:
  std::optional<Finding> check_leftover(const std::string& socket_name, OpenSocket& socket);

  std::map<std::string, std::shared_ptr<OpenSocket>> sockets_;
  std::vector<std::string> order_;  // names by age, the newest last
  uint64_t unnamed_ = 0;
};

// Variables as a branch of steps sees them: loop variables, then the actor's, then the run's.
class Scope final : public Variables {
 public:
  Scope(ActorRun& run, const Scope* outer) : run_(run), outer_(outer) {}
  void set(const std::string& name, Value value) { own_[name] = std::move(value); }
  std::expected<Value, std::string> lookup(const std::string& name) override;

 private:
  const Value* find_own(const std::string& name) const;

  ActorRun& run_;
  const Scope* outer_;
  std::map<std::string, Value> own_;
};

}  // namespace netrig
