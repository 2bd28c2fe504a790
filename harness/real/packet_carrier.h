#pragma once
// Who carries IP packets from host to host where the kernel's lo does not: the wire. The world's
// sockets tell it whose they are and when they may have caused packets. A world without one has all
// its hosts on lo.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "harness/link/fate.h"
#include "harness/real/capture_tap.h"
#include "harness/real/host_table.h"
#include "harness/real/real_loop.h"
#include "harness/real/socket_state.h"
#include "harness/sockets/world.h"

namespace netrig {

class PacketCarrier {
 public:
  virtual ~PacketCarrier() = default;
  // Sockets that are opened and programs that are started from now on are the host's; empty: of no
  // host (Unix sockets).
  virtual void enter(std::optional<size_t> host) = 0;
  // A call of `host` may have given the kernel packets: they go as far as they can go now. From
  // inside a fiber or outside.
  virtual void carry(size_t host) = 0;
  // There is a program on the host: what its sockets read is not seen.
  virtual void runs_program(size_t host) = 0;
  // A packet is on a link, or waits for one.
  virtual bool under_way() const = 0;
  // A connection of a host, perhaps of a socket that is closed by now, has something to say again
  // if it was lost. Takes some system calls.
  virtual bool may_repeat() const = 0;
  // All sockets are closed: lets farewells pass, and tells.
  virtual void finish(WorldReport& report) = 0;
};

// What a carrier shares with the world that it works for; all of it outlives it.
struct CarrierSurroundings {
  RealLoop& loop;
  const HostTable& hosts;
  SocketRegister& sockets;
  CaptureTap& tap;
  const std::string& tmp;
  LinkObserver* observer;  // may be null
};
using MakeCarrier = std::function<std::unique_ptr<PacketCarrier>(const CarrierSurroundings&)>;

}  // namespace netrig
