#pragma once
// The second world: kernel sockets on lo, every host of the world at an address of its own,
// datagrams passed through the link model, and a capture of everything. Made inside a sandbox
// (sandbox.h) or, with `host_network`, in the machine's own network and limited to loopback: then
// it starts no program.

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/fd.h"
#include "harness/link/fate.h"
#include "harness/link/link.h"
#include "harness/real/packet_carrier.h"
#include "harness/real/real_loop.h"
#include "harness/sockets/world.h"

namespace netrig {

struct RealWorldOptions {
  std::vector<std::string> hosts;  // unique; the k-th gets host_address(k)
  std::map<std::string, LinkConfig>
      links;  // by direction: "client -> server"; the rest are transparent
  uint64_t seed = 1;
  bool host_network = false;  // not in a sandbox: loopback addresses only
  bool allow_remote = false;  // with host_network: any address
  // An existing, empty, writable folder for `${tmp}`. Empty: a new one is made and removed at the
  // end.
  std::string tmp;
  Fd output_directory;  // capture.pcapng is made in it; not needed without `capture`
  bool capture = true;
  LinkObserver* observer = nullptr;  // may be null; must outlive the world
  MakeCarrier carrier;               // of packets between hosts; empty: they are all on lo
  // With a carrier: hosts whose own lo may be used, as two of a scenario's parts are there.
  std::vector<std::string> busy_hosts;
  // Hosts that resolve names (resolv.conf(5)) for programs.
  std::vector<std::string> name_servers;
  // TCP's default algorithm: for actors' sockets it is set where the namespace's setting could not
  // be; empty: the namespace's own.
  std::string congestion;
  Duration spin{0};  // see RealLoop::set_spin
};

class RealWorld final : public World {
 public:
  // The error is a sentence: what could not be made and why.
  static std::expected<std::unique_ptr<RealWorld>, std::string> make(RealWorldOptions options);
  ~RealWorld() override;

  RealLoop& loop() override;
  SocketApi& host(std::string_view name) override;
  IpAddress address(std::string_view host, bool v6) const override;
  std::expected<std::shared_ptr<Program>, std::string> start_program(
      const ProgramOptions& options) override;
  const std::string& tmp() const override;
  bool wall_clock() const override { return true; }
  bool packets_under_way() const override;
  // Counters: packets_captured, datagrams_sent, datagrams_dropped, late_timer_max_us.
  WorldReport finish() override;

 private:
  struct Parts;
  explicit RealWorld(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig
