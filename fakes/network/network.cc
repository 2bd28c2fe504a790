#include "fakes/network/network.h"

#include <utility>

#include "fakes/network/network_parts.h"
#include "harness/net/host_address.h"
#include "harness/net/mapped_address.h"

namespace netrig {

void Network::Parts::make_lanes() {
  std::map<std::string, HostId> by_name;
  for (HostId host = 0; host < options.hosts.size(); ++host) {
    by_name.emplace(options.hosts[host], host);
  }
  constexpr std::string_view kArrow = " -> ";
  for (const auto& [name, config] : options.links) {
    if (config.is_transparent()) continue;
    for (size_t at = name.find(kArrow); at != std::string::npos; at = name.find(kArrow, at + 1)) {
      const auto from = by_name.find(name.substr(0, at));
      const auto to = by_name.find(name.substr(at + kArrow.size()));
      if (from == by_name.end() || to == by_name.end()) continue;
      lanes[from->second][to->second] = std::make_unique<Lane>(*this, name, config, to->second);
    }
  }
}

Network::Network(FakeLoop& loop, BytePool& pool, NetworkOptions options)
    : parts_(std::make_unique<Parts>(loop, pool, std::move(options))) {}
Network::~Network() = default;

void Network::attach(HostId host, PacketReceiver& receiver) {
  parts_->receivers.at(host) = &receiver;
}

const PacketReceiver* Network::receiver(HostId host) const {
  return parts_->receivers.at(host);
}

size_t Network::host_count() const {
  return parts_->options.hosts.size();
}

const std::string& Network::name(HostId host) const {
  return parts_->options.hosts[host];
}

IpAddress Network::address(HostId host, bool v6) const {
  const auto& own = parts_->options.addresses;
  const auto found = own.find(host);
  if (found != own.end()) return v6 ? found->second.second : found->second.first;
  return host_address(host + size_t{1}, v6, false);
}

// The inverse of host_address.
std::optional<Network::HostId> Network::host_by_address(const IpAddress& address,
                                                        HostId asking) const {
  const IpAddress plain = unmapped(address);
  if (plain.is_loopback()) return asking;
  if (plain.is_unspecified()) return std::nullopt;
  for (const auto& [host, own] : parts_->options.addresses) {
    if (plain == own.first || plain == own.second) return host;
  }
  const auto& octets = plain.octets();
  const std::optional<HostId>& gateway = parts_->options.gateway;
  const size_t high = plain.is_v6() ? octets[14] : octets[2];
  const size_t low = plain.is_v6() ? octets[15] : octets[3];
  const size_t number = high << 8 | low;
  if (number == 0 || number > host_count()) return gateway;
  if (host_address(number, plain.is_v6(), false) != plain) return gateway;
  return static_cast<HostId>(number - 1);
}

uint32_t Network::mtu(HostId, HostId) const {
  return kFakeMtu;
}

Network::FlowId Network::flow(HostId from, HostId to, const std::string& service,
                              const std::string& ends) {
  return parts_->flows.flow(parts_->direction(from, to), service, ends);
}

void Network::settle() {
  parts_->settle();
}

bool Network::crosses_faults(HostId from, HostId to, Transport transport) const {
  const Parts::Lane* lane = parts_->lane(from, to);
  return lane != nullptr && lane->link.config().touches(transport);
}

bool Network::under_way() const {
  return parts_->slots.size() > parts_->free_slots.size();
}

void Network::abandon() {
  for (auto& of_sender : parts_->lanes) of_sender.clear();
  parts_->arrivals = {};
  parts_->free_slots.clear();
  parts_->slots.clear();
}

void Network::arrived(const PacketTrace& packet, Instant arrived_at, bool read) {
  Parts& parts = *parts_;
  if (parts.options.observer == nullptr || packet.flow == 0) return;
  parts.options.observer->on_arrival(
      {.packet = parts.flows.packet_name(packet.flow, packet.ordinal),
       .copy = packet.copy,
       .corrupted = packet.corrupted,
       .sent_at = packet.sent_at,
       .arrived_at = arrived_at,
       .read = read});
}

const NetworkCounters& Network::counters() const {
  return parts_->counters;
}

FakeLoop& Network::loop() {
  return parts_->loop;
}

BytePool& Network::pool() {
  return parts_->pool;
}

FakeCapture* Network::capture() const {
  return parts_->options.capture;
}

bool Network::wants_activities() const {
  return captures() || parts_->options.observer != nullptr || parts_->options.trace != nullptr;
}

std::map<std::string, uint64_t> Network::fingerprints() const {
  return parts_->fingerprint.parts();
}

}  // namespace netrig
