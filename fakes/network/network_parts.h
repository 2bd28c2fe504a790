#pragma once
// What a Network is made of, and the passage of a packet through it. Private to network.cc and
// network_passage.cc.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fakes/network/fingerprint.h"
#include "fakes/network/network.h"
#include "harness/base/ring.h"
#include "harness/link/flow_register.h"

namespace netrig {

struct Network::Parts {
  // A packet under way, and what is to become of it.
  struct Slot {
    FakePacket packet;
    Fate fate;
  };
  // A copy that arrives when settle() comes to it.
  struct Arrival {
    uint64_t slot = 0;
    BitPosition corrupt_bit;
    uint32_t copy = 0;
    bool last = true;
    bool mark = false;
  };
  // Acknowledgements without data are drawn and counted apart: how many there are depends on the
  // receiver, and that must not move the draws of data.
  struct Acknowledgements {
    uint64_t stream = 0;
    uint64_t packets = 0;
  };

  // One direction whose link does something.
  struct Lane {
    Lane(Parts& parts, const std::string& direction, const LinkConfig& config, HostId receiver)
        : link(parts.options.seed, direction, config),
          alarm(parts.loop.events(), EventClass::kArrival, receiver,
                [this, &parts] {
                  parts.take_due(*this);
                  parts.settle();
                }),
          icmp_stream(flow_stream(direction, "icmp")) {}

    Link link;
    Alarm alarm;
    uint64_t icmp_stream;
    uint64_t icmp_packets = 0;
  };

  FakeLoop& loop;
  BytePool& pool;
  NetworkOptions options;
  std::vector<PacketReceiver*> receivers;
  std::vector<std::map<HostId, std::unique_ptr<Lane>>> lanes;  // by sender
  FlowRegister flows;
  std::vector<Acknowledgements> acknowledgements;  // by flow
  std::deque<Slot> slots;  // stay where they are while packets are sent from within a delivery
  std::vector<uint64_t> free_slots;
  uint64_t drafted = 0;  // the slot of draft()
  Ring<Arrival> arrivals;
  std::vector<Departure> departures;
  bool settling = false;
  Alarm settle_again;  // what one settle() left
  NetworkCounters counters;
  TrafficFingerprint fingerprint;

  Parts(FakeLoop& its_loop, BytePool& its_pool, NetworkOptions its_options)
      : loop(its_loop),
        pool(its_pool),
        options(std::move(its_options)),
        settle_again(loop.events(), EventClass::kArrival, 0, [this] { settle(); }) {
    receivers.resize(options.hosts.size());
    lanes.resize(options.hosts.size());
    make_lanes();
  }

  std::string direction(HostId from, HostId to) const {
    return options.hosts[from] + " -> " + options.hosts[to];
  }
  void make_lanes();
  Lane* lane(HostId from, HostId to) const {
    const auto& of_sender = lanes[from];
    const auto found = of_sender.find(to);
    return found == of_sender.end() ? nullptr : found->second.get();
  }
  std::pair<uint64_t, uint64_t> draw_name(FakePacket& packet, Lane* lane);
  Acknowledgements& acknowledgements_of(FlowId flow);
  void count(const FakePacket& packet, const Fate& fate);
  void tell(const FakePacket& packet, const Fate& fate);
  uint64_t take_slot();
  void free_slot(uint64_t slot);
  void pass(uint64_t slot, Network& network);
  void send_too_big(const FakePacket& about, Network& network) const;
  void take_due(Lane& lane);
  void add_arrival(uint64_t slot, uint32_t copy, bool last, bool mark, BitPosition corrupt_bit);
  void deliver(uint64_t slot, uint32_t copy, bool last, bool mark, BitPosition corrupt_bit);
  void hand_over(FakePacket& packet, const Fate& fate, uint32_t copy, bool mark,
                 BitPosition corrupt_bit);
  void damage(FakePacket& packet, uint64_t bit);
  OfferedPacket offered(const FakePacket& packet, uint64_t stream, uint64_t handle) const;
  void settle();
};

}  // namespace netrig
