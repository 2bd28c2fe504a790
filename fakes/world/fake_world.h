#pragma once
// The first world: simulated hosts on a simulated network in virtual time, in this process. It
// needs nothing from the machine, makes no system call of its own (a capture is written through the
// writer it is given), and two worlds made alike behave alike to the byte.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/network/fake_loop.h"
#include "fakes/network/fake_packet.h"
#include "harness/capture/pcapng_writer.h"
#include "harness/link/fate.h"
#include "harness/link/link.h"
#include "harness/sockets/world.h"

namespace netrig {

struct FakeWorldOptions {
  std::vector<std::string> hosts;           // unique; the k-th gets host_address(k)
  std::map<std::string, LinkConfig> links;  // by direction: "client -> server"
  uint64_t seed = 1;
  std::string tmp = "/tmp";             // what `${tmp}` names; nothing is made there
  std::optional<PcapngWriter> capture;  // empty: no capture
  // False: a packet is captured when it is delivered, as on `real`; dropped ones are not seen.
  // True: when it is sent, before the link decides, with its fate in the comment.
  bool capture_sent = false;
  std::string congestion;            // TCP's default algorithm, "reno" or "cubic"; empty: reno
  bool tcp_ecn = false;              // connections ask for ECN, as with the sysctl at 1
  LinkObserver* observer = nullptr;  // may be null; must outlive the world
  StackPool* stacks = nullptr;       // the loop's; may be null
  // Told of every packet when it is sent, in order, from 0; may be empty.
  std::function<void(uint64_t index, const FakePacket&, const Fate&)> trace;
};

class FakeWorld final : public World {
 public:
  static std::expected<std::unique_ptr<FakeWorld>, std::string> make(FakeWorldOptions options);
  ~FakeWorld() override;

  FakeLoop& loop() override;
  bool has_host(std::string_view name) const;
  SocketApi& host(std::string_view name) override;
  IpAddress address(std::string_view host, bool v6) const override;
  const std::string& tmp() const override;
  bool wall_clock() const override { return false; }
  bool packets_under_way() const override;
  // Counters: virtual_time_us; packets_sent, _delivered, _dropped, _captured; datagrams_sent,
  // _dropped; tcp_segments_sent, _dropped, tcp_acks_dropped (of them, those without
  // sequence space, which nobody sends again), tcp_retransmissions, tcp_fast_retransmits,
  // tcp_timeouts; last_arrival_us (of a packet with payload); tcp_octets_received (that were in
  // order) and goodput_kbit_s (these, from the first one's arrival to the last one's; 0 if there is
  // no time between). All but packets_captured are of the time before finish(), and so are the
  // fingerprints.
  WorldReport finish() override;

 private:
  struct Parts;
  explicit FakeWorld(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig
