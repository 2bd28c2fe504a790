#include "fakes/world/fake_world.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"
#include "fakes/network/fake_capture.h"
#include "fakes/network/network.h"
#include "fakes/tcp/stack.h"
#include "harness/base/chance.h"
#include "harness/base/require.h"
#include "harness/net/host_address.h"

namespace netrig {
namespace {

// How long closed connections get to exchange their last segments, in virtual time: a
// retransmission or two over a lossy link.
constexpr Duration kFarewellMax = 1s;

std::expected<void, std::string> check(const FakeWorldOptions& options) {
  if (options.hosts.empty()) return std::unexpected("a world needs a host");
  if (options.hosts.size() > kHostsMax) {
    return std::unexpected(
        fmt::format("{} hosts, at most {} are possible", options.hosts.size(), kHostsMax));
  }
  if (!options.tmp.starts_with('/')) {
    return std::unexpected("the temporary folder must be an absolute path");
  }
  return {};
}

bool says_farewell(tcp::State state) {
  return state == tcp::State::kFinWait1 || state == tcp::State::kClosing ||
         state == tcp::State::kLastAck;
}

int64_t counter(uint64_t value) {
  return static_cast<int64_t>(value);
}

int64_t microseconds(Instant when) {
  return when.time_since_epoch() / 1us;
}

}  // namespace

// In order of construction: each uses those before it.
struct FakeWorld::Parts {
  BytePool pool;
  FakeLoop loop;
  std::string tmp;
  std::optional<FakeCapture> capture;
  Network network;
  UnixNames unix_names;
  std::vector<std::unique_ptr<FakeHost>> hosts;
  std::map<std::string, Network::HostId, std::less<>> by_name;

  explicit Parts(FakeWorldOptions& options)
      : loop(options.stacks),
        tmp(options.tmp),
        network(loop, pool, network_options(options)),
        unix_names(tmp) {
    for (Network::HostId id = 0; id < network.host_count(); ++id) {
      const FakeHostOptions host{.seed = stable_hash(network.name(id)) ^ options.seed,
                                 .tmp = tmp,
                                 .tcp_ecn = options.tcp_ecn,
                                 .congestion = options.congestion};
      hosts.push_back(std::make_unique<FakeHost>(network, unix_names, id, host));
      by_name.emplace(network.name(id), id);
    }
  }
  // What is under way may hold sockets, which need their hosts; fibers hold whatever they like.
  ~Parts() {
    loop.destroy_fibers();
    network.abandon();
  }

  NetworkOptions network_options(FakeWorldOptions& options) {
    if (options.capture) {
      capture.emplace(loop, std::move(*options.capture),
                      FakeCaptureOptions{.sent = options.capture_sent, .hosts = options.hosts});
    }
    return {.hosts = options.hosts,
            .links = std::move(options.links),
            .seed = options.seed,
            .observer = options.observer,
            .capture = capture ? &*capture : nullptr,
            .trace = std::move(options.trace)};
  }

  void count(WorldReport& report) const;
  void count_tcp(std::map<std::string, int64_t>& counters) const;
  void close_all();
  bool farewells_missing() const;
};

std::expected<std::unique_ptr<FakeWorld>, std::string> FakeWorld::make(FakeWorldOptions options) {
  if (auto fine = check(options); !fine) return std::unexpected(fine.error());
  return std::unique_ptr<FakeWorld>(new FakeWorld(std::make_unique<Parts>(options)));
}

FakeWorld::FakeWorld(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
FakeWorld::~FakeWorld() = default;

FakeLoop& FakeWorld::loop() {
  return parts_->loop;
}

bool FakeWorld::has_host(std::string_view name) const {
  return parts_->by_name.contains(name);
}

SocketApi& FakeWorld::host(std::string_view name) {
  const auto found = parts_->by_name.find(name);
  NETRIG_REQUIRE(found != parts_->by_name.end());
  return *parts_->hosts[found->second];
}

IpAddress FakeWorld::address(std::string_view host, bool v6) const {
  const auto found = parts_->by_name.find(host);
  NETRIG_REQUIRE(found != parts_->by_name.end());
  return parts_->network.address(found->second, v6);
}

const std::string& FakeWorld::tmp() const {
  return parts_->tmp;
}

bool FakeWorld::packets_under_way() const {
  return parts_->network.under_way();
}

WorldReport FakeWorld::finish() {
  Parts& parts = *parts_;
  WorldReport report;
  parts.loop.destroy_fibers();
  parts.count(report);
  parts.close_all();
  if (parts.capture) {
    report.counters["packets_captured"] = counter(parts.capture->packets());
    if (const auto closed = parts.capture->close(); !closed) {
      report.invalid.push_back(fmt::format("capture.pcapng could not be written: {} ({})",
                                           closed.error().text(), closed.error().name()));
    }
  }
  return report;
}

void FakeWorld::Parts::count_tcp(std::map<std::string, int64_t>& counters) const {
  tcp::SenderCounters total;
  uint64_t octets = 0;
  Instant first = Instant::max();
  Instant last{};
  for (const auto& host : hosts) {
    const tcp::SenderCounters own = host->tcp().total_sent();
    total.retransmitted_segments += own.retransmitted_segments;
    total.fast_retransmits += own.fast_retransmits;
    total.timeouts += own.timeouts;
    const tcp::StackCounters& received = host->tcp().counters();
    total.retransmitted_segments += received.handshake_retransmissions;
    if (received.octets_in_order == 0) continue;
    octets += received.octets_in_order;
    first = std::min(first, received.first_octet_at);
    last = std::max(last, received.last_octet_at);
  }
  counters["tcp_retransmissions"] = counter(total.retransmitted_segments);
  counters["tcp_fast_retransmits"] = counter(total.fast_retransmits);
  counters["tcp_timeouts"] = counter(total.timeouts);
  counters["tcp_octets_received"] = counter(octets);
  const int64_t took_us = octets == 0 ? 0 : microseconds(last) - microseconds(first);
  counters["goodput_kbit_s"] = took_us == 0 ? 0 : counter(octets * 8000) / took_us;
}

void FakeWorld::Parts::count(WorldReport& report) const {
  const NetworkCounters& sent = network.counters();
  auto& counters = report.counters;
  counters["virtual_time_us"] = microseconds(loop.now());
  counters["packets_sent"] = counter(sent.packets_sent);
  counters["packets_delivered"] = counter(sent.packets_delivered);
  counters["packets_dropped"] = counter(sent.packets_dropped);
  counters["datagrams_sent"] = counter(sent.datagrams_sent);
  counters["datagrams_dropped"] = counter(sent.datagrams_dropped);
  counters["tcp_segments_sent"] = counter(sent.tcp_segments_sent);
  counters["tcp_segments_dropped"] = counter(sent.tcp_segments_dropped);
  counters["tcp_acks_dropped"] = counter(sent.tcp_acks_dropped);
  counters["last_arrival_us"] = microseconds(sent.last_arrival);
  count_tcp(counters);
  report.fingerprints = network.fingerprints();
}

// Closes without waiting; what is under way, and the last segments of connections, arrive still, so
// that a capture ends as it should. Without a capture too: what an observer is told is the same.
void FakeWorld::Parts::close_all() {
  for (auto& host : hosts) host->close_all();
  network.settle();
  loop.run_events(loop.now() + kFarewellMax,
                  [this] { return !network.under_way() && !farewells_missing(); });
}

bool FakeWorld::Parts::farewells_missing() const {
  bool missing = false;
  for (const auto& host : hosts) {
    host->tcp().for_each([&](const tcp::Connection& connection) {
      missing = missing || says_farewell(connection.state());
    });
  }
  return missing;
}

}  // namespace netrig
