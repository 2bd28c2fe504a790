#include "harness/real/datagram_path.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/net/mapped_address.h"
#include "harness/real/kernel_datagram.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

constexpr Duration kRetryEvery = 1ms;
// Headers that a link's rate counts on top: IPv4 20, IPv6 40, UDP 8.
constexpr uint32_t kOverheadV4 = 28;
constexpr uint32_t kOverheadV6 = 48;
constexpr uint8_t kEcnBits = 3;  // of the traffic class (RFC 3168)

}  // namespace

struct DatagramPath::Pending {
  DatagramRoute route;
  PacketName name;
  Bytes payload;
  Fd fd;  // a duplicate: the socket may be closed before the link lets the datagram go
  std::weak_ptr<SocketState> sender;
  uint64_t sender_id = 0;
  std::optional<Endpoint> to;
  std::optional<IpAddress> source;
  uint8_t traffic_class = 0;  // asked for only where it may be marked
  Instant sent_at;
  std::string activity;
  std::string fate;  // empty if plain
};

struct DatagramPath::Lane {
  Link link;
  std::optional<TimerId> timer;
};

struct DatagramPath::Emission {
  std::shared_ptr<Pending> pending;
  uint32_t copy = 0;
  bool mark = false;
  BitPosition corrupt_bit;
  Instant give_up;
};

DatagramPath::DatagramPath(RealLoop& loop, const HostTable& hosts, SocketRegister& sockets,
                           CaptureTap& tap, DatagramPathOptions options)
    : loop_(loop),
      hosts_(hosts),
      sockets_(sockets),
      tap_(tap),
      options_(std::move(options)),
      names_(hosts, sockets, options_.tmp) {}
DatagramPath::~DatagramPath() = default;

bool DatagramPath::crosses_faults(const SocketState& state,
                                  const std::optional<Endpoint>& to) const {
  if (options_.links.empty() || is_carried(state, to)) return false;
  const DatagramRoute way = names_.route(state, to);
  const LinkConfig* link = config(way.from, way.to);
  return link != nullptr && link->touches(state.transport);
}

bool DatagramPath::is_carried(const SocketState& state, const std::optional<Endpoint>& to) const {
  if (!options_.carried || is_unix(state.transport)) return false;
  const auto& target = to ? to : state.peer;
  if (!target) return false;
  const IpAddress address = unmapped(target->address());
  return !address.is_loopback() && !address.is_unspecified() &&
         hosts_.by_address(address) != state.host;
}

std::optional<std::string> DatagramPath::stream_fault(Transport transport, size_t a,
                                                      size_t b) const {
  if (options_.carried && transport == Transport::kTcp) return std::nullopt;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    const LinkConfig* link = config(from, to);
    const std::string fault = link == nullptr ? "" : link->first_fault(transport);
    if (fault.empty()) continue;
    return fmt::format("{} on {} -> {}", fault, hosts_.name(from), hosts_.name(to));
  }
  return std::nullopt;
}

void DatagramPath::sent_directly(SocketState& sender, const std::optional<Endpoint>& to,
                                 ByteView data) {
  learn_port(sender);
  Pending sent;
  sent.route = names_.route(sender, to);
  sent.name = names_.next(sent.route).packet;
  sent.sender_id = sender.id;
  sent.sent_at = loop_.now();
  sent.activity = loop_.activity();
  ++sent_;
  if (options_.observer != nullptr) {
    options_.observer->on_fate({.packet = sent.name,
                                .fate = {},
                                .size = static_cast<uint32_t>(data.size()),
                                .sent_at = sent.sent_at,
                                .activity = sent.activity});
  }
  emitted(sent, data, 0, false);
}

Result<size_t> DatagramPath::offer(SocketState& sender, const std::optional<Endpoint>& to,
                                   ByteView data) {
  auto pending = std::make_shared<Pending>();
  const auto& target = to ? to : sender.peer;
  if (target) pending->source = source_for(sender, hosts_, *target);
  if (auto fine = check_datagram(sender, data.size(), to, pending->source); !fine) {
    return fail_with(fine.error());
  }
  learn_port(sender);
  pending->fd = Fd(::fcntl(sender.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!pending->fd) return fail_with(errno);
  pending->route = names_.route(sender, to);
  FlowNames::Named named = names_.next(pending->route);
  pending->name = std::move(named.packet);
  pending->payload = data;
  pending->sender = sockets_.by_id(sender.id);
  pending->sender_id = sender.id;
  // A later connect() must not turn it round, so the destination is said again when it leaves; but
  // a connected Unix peer need not have its path any more.
  pending->to = is_unix(sender.transport) ? to : target;
  pending->sent_at = loop_.now();
  pending->activity = loop_.activity();

  const bool v6 = target && unmapped(target->address()).is_v6();
  const uint64_t handle = next_handle_++;
  Lane& way = lane(pending->route);
  if (!is_unix(sender.transport) && way.link.config().may_mark()) {
    pending->traffic_class = traffic_class(sender, v6);
  }
  const Fate fate = way.link.offer(
      loop_.now(), {.transport = sender.transport,
                    .stream = named.stream,
                    .ordinal = pending->name.ordinal,
                    .payload_size = static_cast<uint32_t>(data.size()),
                    .overhead = is_unix(sender.transport) ? 0 : (v6 ? kOverheadV6 : kOverheadV4),
                    .handle = handle,
                    .flow_number = named.flow_number,
                    .service = named.service,
                    .service_port = named.service_port,
                    .ecn_capable = (pending->traffic_class & kEcnBits) != 0});
  if (!fate.delivered_untouched()) pending->fate = format_fate(fate);
  ++sent_;
  if (options_.observer != nullptr) {
    options_.observer->on_fate({.packet = pending->name,
                                .fate = fate,
                                .size = static_cast<uint32_t>(data.size()),
                                .sent_at = pending->sent_at,
                                .activity = pending->activity});
  }
  if (fate.dropped != DropCause::kNone) {
    ++dropped_;
  } else {
    pending_.emplace(handle, std::move(pending));
  }
  if (auto sent = pump(way, handle); !sent) return fail_with(sent.error());
  return data.size();
}

void DatagramPath::received(SocketState& state, uint64_t hash, bool read) {
  std::vector<SocketState*> places = sockets_.sharing(state);
  const bool alone = places.empty();
  places.insert(places.begin(), &state);
  for (SocketState* place : places) {
    auto& expected = place->expected;
    const auto found = std::ranges::find(expected, hash, &ExpectedDatagram::hash);
    if (found == expected.end()) continue;
    if (options_.observer != nullptr) {
      options_.observer->on_arrival({.packet = found->packet,
                                     .copy = found->copy,
                                     .corrupted = found->corrupted,
                                     .sent_at = found->sent_at,
                                     .arrived_at = found->arrived_at,
                                     .read = read});
    }
    // The kernel's queue is in order: what should have come before it found no room there.
    expected.erase(alone ? expected.begin() : found, std::next(found));
    return;
  }
}

void DatagramPath::drain_unread(SocketState& state) {
  if (has_connections(state.transport) || !state.fd || state.expected.empty()) return;
  Bytes buffer(65536, '\0');
  for (int errors = 0; errors < 4 && !state.expected.empty();) {
    const ssize_t size =
        ::recv(state.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && (errno == EAGAIN || errno == EBADF)) return;
    if (size < 0) {
      ++errors;
      continue;
    }
    OctetHash hash;
    hash.add(ByteView(buffer).substr(0, static_cast<size_t>(size)));
    received(state, hash.value(), false);
  }
}

void DatagramPath::report(WorldReport& report) const {
  report.counters["datagrams_sent"] = sent_;
  report.counters["datagrams_dropped"] = dropped_;
  report.counters["late_timer_max_us"] = lateness_.count() / 1000;
  if (lateness_ > kLatenessMax) {
    report.invalid.push_back(
        fmt::format("a datagram left its link {} too late", format_duration(lateness_)));
  }
  if (given_up_ > 0) {
    report.invalid.push_back(fmt::format("{} found no room at the receiver within {}",
                                         plural(static_cast<uint64_t>(given_up_), "datagram"),
                                         format_duration(kRetryMax)));
  }
}

const LinkConfig* DatagramPath::config(size_t from, size_t to) const {
  const auto found = options_.links.find(hosts_.name(from) + " -> " + hosts_.name(to));
  return found == options_.links.end() ? nullptr : &found->second;
}

DatagramPath::Lane& DatagramPath::lane(const DatagramRoute& route) {
  auto& place = lanes_[route.direction];
  if (!place) {
    const LinkConfig* link = config(route.from, route.to);
    place.reset(new Lane{Link(options_.seed, route.direction, link ? *link : LinkConfig()), {}});
  }
  return *place;
}

Result<void> DatagramPath::pump(Lane& lane, uint64_t own) {
  Result<void> result;
  for (const Departure& departure : lane.link.take_due(loop_.now())) {
    const auto found = pending_.find(departure.handle);
    if (found == pending_.end()) continue;
    lateness_ = std::max(lateness_, loop_.now() - departure.due);
    const auto pending = found->second;
    if (departure.last) pending_.erase(found);
    const auto sent = emit(
        {pending, departure.copy, departure.mark, departure.corrupt_bit, loop_.now() + kRetryMax});
    if (departure.handle == own && departure.copy == 0) result = sent;
  }
  arm(lane);
  return result;
}

void DatagramPath::arm(Lane& lane) {
  if (lane.timer) loop_.cancel(*lane.timer);
  lane.timer.reset();
  const auto next = lane.link.next_due();
  if (!next) return;
  lane.timer = loop_.at(*next, [this, &lane] {
    lane.timer.reset();
    static_cast<void>(pump(lane, 0));
  });
}

// A full queue of the receiver (Unix sockets only) is tried again: Unix datagrams are not lost.
Result<void> DatagramPath::emit(const Emission& emission) {
  const auto sent = try_emit(emission);
  if (sent || (sent.error() != Errno(EAGAIN) && sent.error() != Errno(ENOBUFS))) return sent;
  if (loop_.now() >= emission.give_up) {
    ++given_up_;
    return {};
  }
  ++retrying_;
  loop_.at(loop_.now() + kRetryEvery, [this, emission] {
    --retrying_;
    static_cast<void>(emit(emission));
  });
  return {};
}

Result<void> DatagramPath::try_emit(const Emission& emission) {
  const Pending& pending = *emission.pending;
  Bytes damaged;
  ByteView data = pending.payload;
  if (emission.corrupt_bit && *emission.corrupt_bit / 8 < data.size()) {
    damaged = pending.payload;
    char& octet = damaged[*emission.corrupt_bit / 8];
    octet = static_cast<char>(octet ^ (0x80 >> (*emission.corrupt_bit % 8)));
    data = damaged;
  }
  const auto& to = pending.to;
  Bytes control;
  if (emission.mark) {
    const auto& destination = pending.route.destination;
    const bool v6 = destination && destination->address().is_v6();
    control = traffic_class_control(v6, pending.traffic_class | kEcnBits);
  }
  auto sent = send_datagram(pending.fd.get(), {&data, 1}, 0, to, pending.source, control);
  if (!sent && sent.error() == Errno(ECONNREFUSED) && !is_unix(pending.route.transport)) {
    // The answer to an earlier datagram, not to this one: the socket's next call shall have it.
    if (const auto sender = pending.sender.lock(); sender && sender->fd) {
      sender->deferred_error = sent.error();
      loop_.forget(sender->fd.get());
    }
    sent = send_datagram(pending.fd.get(), {&data, 1}, 0, to, pending.source, control);
  }
  if (!sent) return fail_with(sent.error());
  emitted(pending, data, emission.copy, emission.corrupt_bit.has_value());
  return {};
}

void DatagramPath::emitted(const Pending& pending, ByteView data, uint32_t copy, bool corrupted) {
  const DatagramRoute& way = pending.route;
  std::string comment = pending.activity;
  if (!pending.fate.empty()) comment += (copy > 0 ? "; duplicate" : "; " + pending.fate);
  SocketState* receiver = receiver_of(way);
  if (!is_unix(way.transport)) {
    tap_.comments().udp_emitted(way.source.port(), *way.destination, std::move(comment));
    tap_.gave(data.size());
  } else {
    const bool by_hand = receiver == nullptr || receiver->bound;
    const bool to_service = way.destination ? by_hand : pending.sender_id < way.pair_peer;
    const uint64_t receiver_id = receiver == nullptr ? 0 : receiver->id;
    const Endpoint& service = to_service ? way.destination.value_or(Endpoint()) : way.source;
    tap_.unix_datagram(service.path().empty() ? "socketpair" : service.to_string(),
                       to_service ? pending.sender_id : receiver_id, to_service, data, comment);
  }
  if (receiver == nullptr) {
    if (options_.observer != nullptr && programs_.contains(way.to)) {
      options_.observer->on_arrival({.packet = pending.name,
                                     .copy = copy,
                                     .corrupted = corrupted,
                                     .sent_at = pending.sent_at,
                                     .arrived_at = loop_.now()});
    }
    return;
  }
  OctetHash hash;
  hash.add(data);
  receiver->expect({.packet = pending.name,
                    .copy = copy,
                    .corrupted = corrupted,
                    .hash = hash.value(),
                    .sent_at = pending.sent_at,
                    .arrived_at = loop_.now()});
}

SocketState* DatagramPath::receiver_of(const DatagramRoute& route) const {
  if (!route.destination) return sockets_.by_id(route.pair_peer).get();
  return sockets_.receiver(route.transport, *route.destination, route.source);
}

void DatagramPath::learn_port(SocketState& state) {
  if (is_unix(state.transport) || state.local.port() != 0) return;
  if (const auto local = local_endpoint(state.fd.get())) {
    state.local = unmapped(*local);
    sockets_.refresh(state);
    tap_.comments().port_used(state.local.port());
  }
}

}  // namespace netrig
