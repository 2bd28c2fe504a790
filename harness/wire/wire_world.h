#pragma once
// The third world: kernel sockets and programs, every host in a network namespace of its own, every
// IP packet between hosts through the link model in this process. It is the world of kernel sockets
// (harness/real) with a wire in place of lo.

#include <expected>
#include <memory>
#include <string>

#include "harness/real/real_world.h"
#include "harness/wire/wire_network.h"

namespace netrig {

struct WireWorldOptions {
  RealWorldOptions real;  // never with host_network; its hosts are the network's, in this order
  std::shared_ptr<WireNetwork> network;
  bool capture_sent = false;  // packets are captured before their link, with their fate
};

// Inside the sandbox that the network was made in. The error is a sentence.
std::expected<std::unique_ptr<RealWorld>, std::string> make_wire_world(WireWorldOptions options);

}  // namespace netrig
