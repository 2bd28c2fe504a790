#pragma once
// What the two kinds of relay share: where they wait, how they reach their target, what they tell.

#include <cstdint>
#include <optional>
#include <string>

#include "harness/run/actor_run.h"
#include "harness/run/result.h"
#include "harness/run/stream_pacer.h"

namespace netrig {

class RelayRun {
 public:
  RelayRun(Stage& stage, const Relay& relay)
      : stage_(stage), relay_(relay), api_(stage.world.host(relay.host)) {}
  virtual ~RelayRun() = default;
  RelayRun(const RelayRun&) = delete;
  RelayRun& operator=(const RelayRun&) = delete;

  // Inside a fiber: binds, tells where it is, and spawns the fibers that forward.
  std::optional<Finding> open();
  // Octets or datagrams that came and have not gone on yet.
  bool busy() const { return under_way_ > 0; }

 protected:
  virtual void serve(Socket listener) = 0;

  PacingOptions pacing() const { return {relay_.chop, relay_.delay, relay_.rate}; }
  // A socket that is connected to the target; the relay has failed if there is none.
  std::optional<Socket> reach_target(uint64_t number);
  void fail(Location at, std::string message);
  void tell(bool sent, Transport transport, const Endpoint& peer, ByteView octets);
  Transport target_transport() const;

  Stage& stage_;
  const Relay& relay_;
  SocketApi& api_;
  uint64_t under_way_ = 0;

 private:
  std::expected<Endpoint, std::string> find_target();
};

std::unique_ptr<RelayRun> make_stream_relay(Stage& stage, const Relay& relay);
std::unique_ptr<RelayRun> make_datagram_relay(Stage& stage, const Relay& relay);

}  // namespace netrig
