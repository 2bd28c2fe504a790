#include "fakes/packetdrill/script_stack.h"

#include <algorithm>
#include <poll.h>

#include "harness/net/packet.h"

namespace netrig {
namespace {

constexpr Network::HostId kLocal = 0;
constexpr Network::HostId kOutside = 1;

// Of this machine's time: a script's other thread may not have come to its call yet.
constexpr auto kPatience = 1s;

bool is_error(const Packet& packet) {
  // RFC 792: destination unreachable, time exceeded, parameter problem; RFC 4443: below 128.
  const uint8_t type = packet.icmp->type;
  return packet.ip.source.is_v6() ? type < 128 : type == 3 || type == 11 || type == 12;
}

// What an ICMP error tells about the packet that it quotes.
std::optional<FakeIcmpError> error_of(const Packet& packet) {
  const auto about = decode_packet(packet.payload);
  if (!is_error(packet) || !about || (!about->tcp && !about->udp)) return std::nullopt;
  FakeIcmpError error;
  error.type = packet.icmp->type;
  error.code = packet.icmp->code;
  error.rest = packet.icmp->rest;
  error.tcp = about->tcp.has_value();
  error.source = about->source();
  error.destination = about->destination();
  if (about->tcp) error.seq = tcp::SeqNum(about->tcp->sequence);
  return error;
}

}  // namespace

ScriptStack::ScriptStack(const ScriptStackOptions& options) {
  NetworkOptions network;
  network.hosts = {"local", "outside"};
  network.seed = options.seed;
  network.addresses[kLocal] = {options.local, options.local6};
  network.gateway = kOutside;
  network_.emplace(loop_, pool_, std::move(network));
  FakeHostOptions host;
  host.seed = options.seed;
  host_ = std::make_unique<FakeHost>(*network_, names_, kLocal, host);
  network_->attach(kOutside, *this);
}

ScriptStack::~ScriptStack() {
  loop_.destroy_fibers();
}

int64_t ScriptStack::read_time() {
  std::unique_lock lock(mutex_);
  pass(lock, loop_.now() + 1us, [] { return false; });
  return std::chrono::duration_cast<std::chrono::microseconds>(loop_.now().time_since_epoch())
      .count();
}

void ScriptStack::sleep(int64_t microseconds) {
  std::unique_lock lock(mutex_);
  pass(lock, loop_.now() + std::chrono::microseconds(microseconds), [] { return false; });
}

bool ScriptStack::inject(ByteView octets) {
  const auto packet = decode_packet(octets);
  if (!packet) return false;
  std::unique_lock lock(mutex_);
  FakePacket fake;
  fake.from = kOutside;
  fake.to = kLocal;
  fake.source = packet->ip.source;
  fake.destination = packet->ip.destination;
  if (packet->tcp) {
    tcp::Segment segment = tcp::from_header(*packet->tcp, pool_.copy(packet->payload));
    segment.checksum_ok = packet->transport_checksum_ok;
    segment.ecn = static_cast<tcp::Ecn>(packet->ip.traffic_class & 3);
    fake.body = std::move(segment);
  } else if (packet->udp) {
    if (!packet->transport_checksum_ok) return true;
    fake.flow = network_->flow(kOutside, kLocal, "udp|script", "script");
    fake.body = FakeUdp{packet->udp->source_port, packet->udp->destination_port,
                        pool_.copy(packet->payload)};
  } else if (packet->icmp) {
    auto error = error_of(*packet);
    if (!error) return true;  // a host hears errors only
    fake.body = std::move(*error);
  } else {
    return false;
  }
  network_->send(std::move(fake));
  network_->settle();
  let_others_try(lock);
  return true;
}

std::optional<ScriptStack::Emitted> ScriptStack::receive() {
  std::unique_lock lock(mutex_);
  while (emitted_.empty()) {
    pass(lock, Instant::max(), [this] { return !emitted_.empty(); });
    if (!emitted_.empty()) break;
    const uint64_t seen = calls_;
    const bool called = called_.wait_for(lock, kPatience, [&] { return calls_ != seen; });
    if (!called) return std::nullopt;
  }
  Emitted next = std::move(emitted_.front());
  emitted_.pop_front();
  return next;
}

Result<int> ScriptStack::poll(std::span<PollEntry> entries, Duration timeout) {
  std::unique_lock lock(mutex_);
  const Instant limit = timeout < Duration{0} ? Instant::max() : loop_.now() + timeout;
  while (true) {
    auto ready = host_->poll(entries, Duration{0});
    if (!ready || *ready > 0 || loop_.now() >= limit) return ready;
    if (std::this_thread::get_id() != owner_) {
      wait_for_others(lock);
    } else if (limit == Instant::max()) {
      if (!pass_one_event(lock)) return fail_with(EDEADLK);
    } else {
      pass(lock, std::min(limit, loop_.events().next()), [] { return false; });
    }
  }
}

void ScriptStack::deliver(FakePacket&& packet) {
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(loop_.now().time_since_epoch());
  emitted_.push_back({encode_packet(to_packet(packet)), now.count()});
}

// The time passes event by event, and after each the other thread has its chance.
void ScriptStack::pass(std::unique_lock<std::mutex>& lock, Instant when,
                       const std::function<bool()>& enough) {
  bool over = false;
  std::optional<TimerId> timer;
  if (when != Instant::max()) timer = loop_.at(when, [&over] { over = true; });
  loop_.run_until([&] {
    let_others_try(lock);
    return over || enough();
  });
  if (timer) loop_.cancel(*timer);
}

bool ScriptStack::pass_one_event(std::unique_lock<std::mutex>& lock) {
  if (loop_.events().empty()) return false;
  const Instant next = loop_.events().next();
  pass(lock, next, [] { return false; });
  return true;
}

void ScriptStack::let_others_try(std::unique_lock<std::mutex>& lock) {
  if (waiting_ == 0) return;
  still_to_try_ = waiting_;
  ++turn_;
  happened_.notify_all();
  tried_.wait(lock, [this] { return still_to_try_ == 0; });
}

void ScriptStack::wait_for_others(std::unique_lock<std::mutex>& lock) {
  ++waiting_;
  const uint64_t seen = turn_;
  // Whoever let this thread try waits until it has: it has failed again, or has gone its way.
  if (trying_) {
    trying_ = false;
    --still_to_try_;
    tried_.notify_all();
  }
  happened_.wait(lock, [&] { return turn_ != seen; });
  trying_ = true;
  --waiting_;
}

void ScriptStack::done_trying() {
  if (!trying_) return;
  trying_ = false;
  --still_to_try_;
  tried_.notify_all();
}

}  // namespace netrig
