// Hosts, devices and ports, without a world: packets are carried by hand.
#include "harness/wire/wire_network.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/net/host_address.h"
#include "harness/real/sandbox_parts.h"
#include "harness/real/sockaddr.h"
#include "harness/wire/devices.h"
#include "harness/wire/wire_packet.h"
#include "harness/wire/wire_probe.h"
#include "harness/wire/wire_testing.h"

namespace netrig {
namespace {

Endpoint at(size_t host, uint16_t port, bool v6 = false) {
  return {host_address(host + 1, v6, false), port};
}

// A non-blocking socket of the host, bound to its address.
Fd open_socket(WireNetwork& network, size_t host, int type, uint16_t port, bool v6 = false) {
  network.enter(host);
  Fd fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  network.enter({});
  const auto address = to_socket_address(at(host, port, v6));
  EXPECT_EQ(::bind(fd.get(), address->get(), address->length), 0) << system_error("bind");
  return fd;
}

int connect_error(const Fd& socket, const Endpoint& to) {
  const auto address = to_socket_address(to);
  return ::connect(socket.get(), address->get(), address->length) == 0 ? 0 : errno;
}

// Carries what comes out of the ports to the ports of whom it is for.
class Pump {
 public:
  explicit Pump(WireNetwork& network) : network_(network) {}

  // Ten seconds at most.
  bool until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      if (carry() == 0) wait();
    }
    return true;
  }
  size_t carry() {
    size_t carried = 0;
    Port::Received received;
    for (size_t host = 0; host < network_.size(); ++host) {
      for (; network_.port(host).read(received); ++carried) take(received);
    }
    return carried;
  }

  size_t largest = 0;
  size_t refused = 0;
  size_t left_to_cut = 0;  // packets that are more than one segment

 private:
  void take(const Port::Received& received) {
    largest = std::max(largest, received.octets.size());
    if (received.offload.gso_type != VIRTIO_NET_HDR_GSO_NONE) ++left_to_cut;
    const auto packet = parse_wire_packet(received.offload, received.octets);
    ASSERT_TRUE(packet) << received.octets.size() << " octets";
    for (size_t host = 0; host < network_.size(); ++host) {
      for (const bool v6 : {false, true}) {
        if (packet->destination != host_address(host + 1, v6, false)) continue;
        if (!network_.port(host).write(received.offload, received.octets, {})) ++refused;
      }
    }
  }
  void wait() {
    std::vector<pollfd> ports;
    for (size_t host = 0; host < network_.size(); ++host) {
      ports.push_back({network_.port(host).descriptor(), POLLIN, 0});
    }
    ::poll(ports.data(), ports.size(), 20);
  }

  WireNetwork& network_;
};

// From host 0 to host 1; what arrived.
std::string transfer(WireNetwork& network, Pump& pump, const std::string& data, bool v6 = false) {
  const Fd listener = open_socket(network, 1, SOCK_STREAM, 80, v6);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  const Fd client = open_socket(network, 0, SOCK_STREAM, 0, v6);
  EXPECT_EQ(connect_error(client, at(1, 80, v6)), EINPROGRESS);
  Fd server;
  EXPECT_TRUE(pump.until([&] {
    server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
    return static_cast<bool>(server);
  })) << "no handshake";
  std::string got;
  size_t sent = 0;
  std::string buffer(1 << 18, '\0');
  EXPECT_TRUE(pump.until([&] {
    const ssize_t more = ::send(client.get(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (more > 0) sent += static_cast<size_t>(more);
    const ssize_t size = ::recv(server.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) got.append(buffer, 0, static_cast<size_t>(size));
    return got.size() >= data.size();
  }));
  return got;
}

std::string megabyte() {
  std::string data(size_t{1} << 20, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 ^ i >> 8);
  return data;
}

uint64_t all_drops(WireNetwork& network) {
  uint64_t all = 0;
  for (size_t host = 0; host < network.size(); ++host) {
    const auto drops = network.drops(host);
    all += drops.sent + drops.received;
  }
  return all;
}

class Ports : public testing::TestWithParam<PortKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Ports, both_kinds(), name_of_kind);

TEST_P(Ports, CarryAMegabyteOfTcpWithoutADrop) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    EXPECT_EQ(network->kind(), GetParam());
    for (const bool v6 : {false, true}) {
      Pump pump(*network);
      EXPECT_TRUE(transfer(*network, pump, megabyte(), v6) == megabyte());
      EXPECT_GT(pump.left_to_cut, 0U) << "the kernel leaves large packets to the card";
      EXPECT_EQ(pump.refused, 0U);
    }
    EXPECT_EQ(all_drops(*network), 0U);
  });
}

TEST_P(Ports, WithExactSegmentsNoPacketIsLargerThanTheMtu) {
  in_network({.kind = GetParam(), .exact_segments = true}, [](const SharedNetwork& network) {
    for (const bool v6 : {false, true}) {
      Pump pump(*network);
      EXPECT_TRUE(transfer(*network, pump, megabyte(), v6) == megabyte());
      EXPECT_EQ(pump.largest, kWireMtu);
      EXPECT_EQ(pump.left_to_cut, 0U);
    }
    EXPECT_EQ(all_drops(*network), 0U);
  });
}

// As `exact_segments` is for tests of packetization, UDP's segments are the sender's own.
TEST_P(Ports, WithExactSegmentsDatagramsSentTogetherComeOneByOne) {
  in_network({.kind = GetParam(), .exact_segments = true}, [](const SharedNetwork& network) {
    const Fd sender = open_socket(*network, 0, SOCK_DGRAM, 1000);
    const Fd receiver = open_socket(*network, 1, SOCK_DGRAM, 2000);
    const int segment = 1000;
    // udp(7): UDP_SEGMENT
    ASSERT_EQ(::setsockopt(sender.get(), IPPROTO_UDP, 103, &segment, sizeof(segment)), 0);
    ASSERT_EQ(connect_error(sender, at(1, 2000)), 0);
    const std::string data(5000, 'x');
    ASSERT_EQ(::send(sender.get(), data.data(), data.size(), 0), 5000);
    Pump pump(*network);
    size_t datagrams = 0;
    EXPECT_TRUE(pump.until([&] {
      char buffer[4096];
      while (::recv(receiver.get(), buffer, sizeof(buffer), 0) == segment) ++datagrams;
      return datagrams == 5;
    })) << datagrams;
    EXPECT_EQ(pump.largest, 1028U);
    EXPECT_EQ(pump.left_to_cut, 0U);
  });
}

TEST_P(Ports, CountEveryPacketThatNobodyTookInTime) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    constexpr size_t kSent = 20'000;
    const Fd sender = open_socket(*network, 0, SOCK_DGRAM, 1000);
    ASSERT_EQ(connect_error(sender, at(1, 2000)), 0);
    size_t sent = 0;
    for (size_t i = 0; i < kSent; ++i) {
      if (::send(sender.get(), "x", 1, 0) == 1) ++sent;
    }
    EXPECT_EQ(sent, kSent);
    const auto drops = network->drops(0);
    EXPECT_GT(drops.sent, 0U) << "the test fills no ring";
    EXPECT_EQ(drops.received, 0U);
    EXPECT_EQ(network->drops(1).received, 0U);
    size_t read = 0;
    Port::Received received;
    while (network->port(0).read(received)) ++read;
    EXPECT_GT(read, 100U);
    EXPECT_EQ(read + drops.sent, kSent);
    EXPECT_EQ(network->drops(0).sent, drops.sent) << "asked again, it is the same";
  });
}

TEST_P(Ports, RefuseOrDropWhatIsNoPacket) {
  in_network({.kind = GetParam()}, [](const SharedNetwork& network) {
    Port& port = network->port(0);
    EXPECT_FALSE(port.write({}, {}, {})) << "nothing is no packet";
    static_cast<void>(port.write({}, "no packet", {}));
    static_cast<void>(port.write({}, std::string(1, '\x45'), {}));
    static_cast<void>(port.write({}, std::string(70'000, '\x45'), {}));
    virtio_net_hdr wrong{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                         .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                         .hdr_len = 60000,
                         .gso_size = 1,
                         .csum_start = 50'000,
                         .csum_offset = 60'000};
    static_cast<void>(port.write(wrong, std::string(100, '\x45'), {}));
    Pump pump(*network);
    EXPECT_TRUE(transfer(*network, pump, megabyte()) == megabyte()) << "the host goes on";
  });
}

TEST(WireNetwork, EnterGivesSocketsOfThatHost) {
  in_network({.host_count = 3}, [](const SharedNetwork& network) {
    const auto can_bind = [](const Endpoint& endpoint) {
      const Fd fd(::socket(endpoint.address().is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
      const auto address = to_socket_address(endpoint);
      return ::bind(fd.get(), address->get(), address->length) == 0;
    };
    for (size_t host = 0; host < 3; ++host) {
      network->enter(host);
      for (size_t other = 0; other < 3; ++other) {
        EXPECT_EQ(can_bind(at(other, 80)), host == other) << host << " " << other;
        EXPECT_EQ(can_bind(at(other, 80, true)), host == other) << host << " " << other;
      }
      EXPECT_TRUE(can_bind(Endpoint(*IpAddress::parse("127.0.0.1"), 80)));
      EXPECT_TRUE(can_bind(Endpoint(*IpAddress::parse("::1"), 80)));
    }
    network->enter({});
    EXPECT_TRUE(can_bind(at(0, 80))) << "the sandbox's own lo has them as well";
    EXPECT_FALSE(can_bind(at(7, 80)));
  });
}

// As in the other worlds: what is not a host is not there.
TEST(WireNetwork, AddressesOfNobodyAreUnreachable) {
  in_network({}, [](const SharedNetwork& network) {
    for (const char* nobody : {"10.0.0.3", "10.1.0.1", "192.0.2.1"}) {
      const Fd socket = open_socket(*network, 0, SOCK_DGRAM, 0);
      EXPECT_EQ(connect_error(socket, Endpoint(*IpAddress::parse(nobody), 9)), ENETUNREACH)
          << nobody;
    }
    for (const char* nobody : {"fd00::3", "2001:db8::1", "fe80::1"}) {
      const Fd socket = open_socket(*network, 0, SOCK_DGRAM, 0, true);
      EXPECT_NE(connect_error(socket, Endpoint(*IpAddress::parse(nobody), 9)), 0) << nobody;
    }
  });
}

TEST(WireNetwork, HostsSayNothingByThemselves) {
  for (const PortKind kind : {PortKind::kTun, PortKind::kPacket}) {
    in_network({.kind = kind}, [](const SharedNetwork& network) {
      ::usleep(300'000);  // router solicitations, duplicate-address detection: within a second
      Port::Received received;
      for (size_t host = 0; host < 2; ++host) {
        EXPECT_FALSE(network->port(host).read(received))
            << format_hex(received.octets.substr(0, 60));
      }
    });
    if (testing::Test::IsSkipped()) return;
  }
}

TEST(WireNetwork, HasAsManyHostsAsItSays) {
  in_network({.host_count = kWireHostsMax}, [](const SharedNetwork& network) {
    const Fd receiver = open_socket(*network, kWireHostsMax - 1, SOCK_DGRAM, 53);
    const Fd sender = open_socket(*network, 0, SOCK_DGRAM, 0);
    ASSERT_EQ(connect_error(sender, at(kWireHostsMax - 1, 53)), 0);
    ASSERT_EQ(::send(sender.get(), "x", 1, 0), 1);
    Pump pump(*network);
    char octet = 0;
    EXPECT_TRUE(pump.until([&] { return ::recv(receiver.get(), &octet, 1, 0) == 1; }));
  });
}

TEST_P(Ports, AreMadeAndEndedInALittleTime) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTimes = 10;
  Clock::duration without{};
  Clock::duration with{};
  for (int i = 0; i < kTimes; ++i) {
    auto begin = Clock::now();
    in_sandbox({.host_count = 0}, [] {});
    without += Clock::now() - begin;
    begin = Clock::now();
    in_network({.kind = GetParam()}, [](const SharedNetwork&) {});
    if (IsSkipped()) return;
    with += Clock::now() - begin;
  }
  // A hang or a wait for duplicate-address detection, not a benchmark.
  EXPECT_LT(with / kTimes, 1s);
  printf("%s: %d us a sandbox with two hosts, %d us without\n", port_kind_name(GetParam()),
         static_cast<int>(with / kTimes / 1us), static_cast<int>(without / kTimes / 1us));
}

TEST(WireProbe, NamesEverythingAndAFixForWhatIsMissing) {
  const auto problems = probe_wire();
  ASSERT_FALSE(problems.empty());
  for (const auto& problem : problems) {
    EXPECT_FALSE(problem.what.empty());
    EXPECT_FALSE(problem.detail.empty());
    EXPECT_EQ(problem.ok, problem.fix.empty()) << problem.what << ": " << problem.detail;
  }
}

// The probe does not promise another kind of port than a run gets.
TEST(WireProbe, TellsTheKindOfPortThatANetworkHas) {
  const auto problems = probe_wire();
  const bool works = std::ranges::all_of(problems, [](const auto& one) { return one.ok; });
  in_network({}, [&](const SharedNetwork& network) {
    EXPECT_TRUE(works);
    EXPECT_TRUE(problems.back().detail.starts_with(port_kind_name(network->kind())))
        << problems.back().detail;
  });
  EXPECT_NE(works, IsSkipped());
}

}  // namespace
}  // namespace netrig
