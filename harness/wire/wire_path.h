#pragma once
// The way of packets over the wire: from the port of the host that sent them through the link to
// the port of the host that they are for. Of a packet that segmentation offload left large, each
// virtual segment has its own fate; those that go on together are written together. It owns the
// links, their timers and what is under way. It opens no socket and makes no device.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/link/link.h"
#include "harness/real/packet_carrier.h"
#include "harness/wire/fragments.h"
#include "harness/wire/wire_flows.h"
#include "harness/wire/wire_network.h"

namespace netrig {

// How long the loop of a wire spins where nobody asks for more (RealLoop::set_spin): about what the
// scheduler needs to wake a process.
inline constexpr Duration kWireSpin = 20us;

struct WirePathOptions {
  std::map<std::string, LinkConfig> links;  // by direction: "client -> server"
  uint64_t seed = 1;
  bool capture_sent = false;  // packets are captured before their link, with their fate
};

class WirePath final : public PacketCarrier {
 public:
  // Beyond this lateness of a packet's departure the run is invalid.
  static constexpr Duration kLatenessMax = 50ms;

  // Octets of packets under way; beyond it packets are lost, and the run is invalid.
  static constexpr uint64_t kHeldOctetsMax = uint64_t{1} << 30;

  // What `world` refers to must outlive it.
  WirePath(const CarrierSurroundings& world, std::shared_ptr<WireNetwork> network,
           WirePathOptions options);
  ~WirePath() override;

  void enter(std::optional<size_t> host) override { network_->enter(host); }
  void carry(size_t host) override;
  void runs_program(size_t host) override { programs_.insert(host); }
  bool under_way() const override { return held_count_ > 0; }
  bool may_repeat() const override { return network_->repeats_segments(); }
  // Counters: packets_sent, packets_delivered, packets_dropped, tcp_segments_sent, ... as in the
  // simulated world; late_timer_max_us, late_timer_median_us.
  void finish(WorldReport& report) override;

 private:
  struct Lane;
  struct Held;
  struct Counters {
    uint64_t sent = 0, delivered = 0, dropped = 0;
    uint64_t tcp_sent = 0, tcp_dropped = 0, acknowledgements_dropped = 0, retransmissions = 0;
    uint64_t datagrams_sent = 0, datagrams_dropped = 0;
    uint64_t to_nobody = 0;  // multicast, addresses of no host, what is no packet
    Instant last_arrival{};  // of a packet with payload
    uint64_t no_room = 0;    // more than kHeldOctetsMax
    uint64_t refused = 0;    // by the receiver's port: no room, no packet
  };

  // ---- wire_path.cc: what comes in
  bool take_all(size_t packets_max);  // true: nothing is left
  bool take_rest(Instant limit);      // the same, of all ports
  void take(size_t from, const Port::Received& received);
  void pass(Lane& lane, uint64_t slot);
  WireName name(Lane& lane, const WirePacket& packet, TcpDirection* direction, uint32_t index);
  void offer(Lane& lane, uint64_t slot, uint32_t index, const WireName& name);
  void decided(const Held& held, uint32_t index, const WireName& name, const Fate& fate);
  void keep(Held& held);
  void send_too_big(const Lane& lane, const Held& held, uint32_t index);
  Lane& lane(size_t from, size_t to);
  uint64_t take_slot();
  void release(uint64_t slot, uint32_t segments);
  void arm(Lane& lane);
  void report(WorldReport& report);

  // ---- wire_emission.cc: what goes out
  void let_go(Lane& lane);
  void emit_run(Lane& lane, Held& held, uint32_t first, uint32_t count);
  void emit_changed(Lane& lane, Held& held, const Departure& departure);
  void emit_fragments(Lane& lane, Held& held, const Departure& departure);
  void write(Lane& lane, const virtio_net_hdr& offload, ByteView header, ByteView payload);
  void arrives(Lane& lane, const Held& held, const Departure& departure, ByteView payload);
  void capture(Lane& lane, const Held& held, uint32_t index, uint32_t copy, ByteView octets);
  void capture_run(Lane& lane, const Held& held, uint32_t first, uint32_t count);
  void note_lateness(Duration late);
  Duration median_lateness() const;

  RealLoop& loop_;
  const HostTable& hosts_;
  SocketRegister& sockets_;
  CaptureTap& tap_;
  LinkObserver* observer_;
  std::shared_ptr<WireNetwork> network_;
  WirePathOptions options_;
  WireFlows flows_;
  FragmentGatherer fragments_;
  std::vector<std::vector<std::unique_ptr<Lane>>> lanes_;  // by sender and receiver
  std::deque<Held> held_;                                  // by slot; stay where they are
  std::vector<uint64_t> free_slots_;
  size_t held_count_ = 0;
  uint64_t held_octets_ = 0;  // of them that wait for their link
  std::vector<size_t> hot_;   // hosts whose ports may have something
  std::vector<Departure> departures_;
  Bytes scratch_;
  std::set<size_t> programs_;  // hosts that have any
  bool taking_ = false;
  std::optional<size_t> caller_;  // the host whose call brought us here
  Counters counters_;
  // How late departures were that had to wait, in microseconds up to the last, which is "more".
  std::array<uint64_t, 1000> lateness_{};
  Duration lateness_max_{0};
};

}  // namespace netrig
