#include "harness/capture/packet_filter.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/capture/capture_testing.h"
#include "harness/capture/filter_text.h"

namespace netrig {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::recording_of;
using testing::Segment;

// A whole TCP conversation, a datagram and an ICMP message, the same over both IP versions.
Recording conversation(bool v6) {
  const auto c = [v6](uint32_t sequence, uint8_t flags, Bytes payload = {}) {
    return Segment{true, sequence, 501, flags, std::move(payload), v6};
  };
  const auto s = [v6](uint32_t sequence, uint8_t flags, Bytes payload = {}) {
    return Segment{false, sequence, 101, flags, std::move(payload), v6};
  };
  Recording recording = recording_of({
      c(100, kTcpSyn),                     // 0
      s(500, kTcpSyn | kTcpAck),           // 1
      c(101, kTcpAck),                     // 2
      c(101, kTcpAck | kTcpPsh, "hello"),  // 3
      c(101, kTcpAck | kTcpPsh, "hello"),  // 4: again
      s(501, kTcpAck, "there"),            // 5
      c(106, kTcpFin | kTcpAck),           // 6
      c(106, kTcpFin | kTcpAck),           // 7: again
      s(506, kTcpRst | kTcpAck),           // 8
  });
  recording.packets.push_back(testing::captured(testing::udp_octets("datagram", v6)));  // 9
  Packet icmp;
  icmp.ip.source = testing::client_address(v6);
  icmp.ip.destination = testing::server_address(v6);
  icmp.ip.protocol = v6 ? kProtocolIcmpV6 : kProtocolIcmp;
  icmp.icmp = IcmpHeader{.type = static_cast<uint8_t>(v6 ? 128 : 8)};
  recording.packets.push_back(testing::captured(encode_packet(icmp)));  // 10
  recording.packets.push_back(testing::captured("\x01 not IP"));        // 11
  return recording;
}

std::vector<size_t> chosen(const std::string& expression, bool v6) {
  const auto filter = PacketFilter::compile(expression);
  EXPECT_TRUE(filter) << expression << ": " << filter.error();
  return filter ? filter->select(conversation(v6)) : std::vector<size_t>{};
}

TEST(PacketFilter, MatchesTheSamePacketsOverIpv4AndIpv6) {
  for (const bool v6 : {false, true}) {
    EXPECT_THAT(chosen("udp", v6), ElementsAre(9));
    EXPECT_THAT(chosen("tcp port 80", v6), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
    EXPECT_THAT(chosen("tcp src port 80", v6), ElementsAre(1, 5, 8));
    EXPECT_THAT(chosen("udp dst portrange 5000-5002", v6), ElementsAre(9));
    EXPECT_THAT(chosen(v6 ? "icmp6" : "icmp", v6), ElementsAre(10));
    EXPECT_THAT(chosen(v6 ? "src host fd00::2" : "src host 10.0.0.2", v6), ElementsAre(1, 5, 8));
    EXPECT_THAT(chosen(v6 ? "dst net fd00::/16 and udp" : "dst net 10.0.0.0/8 and udp", v6),
                ElementsAre(9));
    EXPECT_THAT(chosen(v6 ? "ip" : "ip6", v6), IsEmpty());
    EXPECT_THAT(chosen("len > 64 and tcp", v6).size(), v6 ? 3U : 0U);
  }
}

TEST(PacketFilter, SeesTcpFlagsOnIpv4OnlyButTheBuiltinNamesOnBoth) {
  EXPECT_THAT(chosen("tcp[tcpflags] & tcp-syn != 0", false), ElementsAre(0, 1));
  EXPECT_THAT(chosen("tcp[tcpflags] & tcp-syn != 0", true), IsEmpty());  // the reason for built-ins
  for (const bool v6 : {false, true}) {
    const Recording recording = conversation(v6);
    const auto builtin = [&](const char* name) {
      EXPECT_TRUE(PacketFilter::is_builtin(name));
      return PacketFilter::builtin(name).select(recording);
    };
    EXPECT_THAT(builtin("syn"), ElementsAre(0));
    EXPECT_THAT(builtin("syn_ack"), ElementsAre(1));
    EXPECT_THAT(builtin("ack"), ElementsAre(2));
    EXPECT_THAT(builtin("data"), ElementsAre(3, 4, 5, 9));
    EXPECT_THAT(builtin("fin"), ElementsAre(6, 7));
    EXPECT_THAT(builtin("reset"), ElementsAre(8));
    EXPECT_THAT(builtin("retransmission"), ElementsAre(4, 7));
    EXPECT_THAT(builtin("tcp"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
    EXPECT_THAT(builtin("udp"), ElementsAre(9));
    EXPECT_THAT(builtin("icmp"), ElementsAre(10));
  }
}

TEST(PacketFilter, ListsItsBuiltinNames) {
  EXPECT_THAT(PacketFilter::builtin_names(),
              ElementsAre("ack", "data", "fin", "icmp", "reset", "retransmission", "syn", "syn_ack",
                          "tcp", "udp"));
  EXPECT_FALSE(PacketFilter::is_builtin("host"));
  EXPECT_FALSE(PacketFilter::is_builtin(""));
}

TEST(PacketFilter, TakesAPartlyNewSegmentForARetransmissionButNotReusedPorts) {
  const Recording recording = recording_of({
      {true, 0xfffffffe, 0, kTcpSyn},
      {true, 0xffffffff, 0, kTcpAck, "abcd"},   // wraps around
      {true, 3, 0, kTcpAck, "efgh"},            // new
      {true, 1, 0, kTcpAck, "cdefghij"},        // 3: the last two octets are new
      {true, 20, 0, kTcpAck, "xy"},             // behind a hole: new
      {true, 9, 0, kTcpAck, "klmnopq"},         // fills a part of the hole: new
      {true, 2, 0, kTcpRst | kTcpAck, "abcd"},  // a reset takes no sequence space
      {true, 0, 0, kTcpSyn},                    // the ports are used again
      {false, 20, 1, kTcpSyn | kTcpAck},
      {true, 1, 21, kTcpAck, "cdef"},
      {true, 0, 0, kTcpSyn},  // 10: the same SYN again
  });
  EXPECT_THAT(PacketFilter::builtin("retransmission").select(recording), ElementsAre(3, 10));
}

TEST(PacketFilter, ForgetsWhatAServerSentOnceItsClientReusesThePorts) {
  const std::vector<Segment> conversation = {
      {true, 100, 0, kTcpSyn},
      {false, 7, 101,
       kTcpSyn | kTcpAck},  // the same number each time, as a simulated host may choose
      {false, 8, 101, kTcpAck, "hello"},
  };
  auto segments = conversation;
  segments.insert(segments.end(), conversation.begin(), conversation.end());
  segments[3].sequence = 200;
  EXPECT_THAT(PacketFilter::builtin("retransmission").select(recording_of(segments)), IsEmpty());
  segments[3].sequence = 100;
  EXPECT_THAT(PacketFilter::builtin("retransmission").select(recording_of(segments)),
              ElementsAre(3, 4, 5));
}

TEST(PacketFilter, TellsWhyAnExpressionDoesNotCompile) {
  const auto error = [](const std::string& text) {
    const auto filter = PacketFilter::compile(text);
    return filter ? "compiled" : filter.error();
  };
  EXPECT_THAT(error("tcp and"), HasSubstr("syntax error"));
  EXPECT_THAT(error("(tcp"), HasSubstr("syntax error"));
  EXPECT_THAT(error("port 65536"), HasSubstr("65536"));
  EXPECT_THAT(error("tpc port 80"),
              HasSubstr("'tpc' is not a word of a filter (did you mean 'tcp'?)"));
  EXPECT_EQ(error(std::string("tcp\0 or udp", 11)), "the filter holds a NUL");
  EXPECT_EQ(error(std::string(5000, ' ')), "the filter is longer than 1024 octets");
  EXPECT_EQ(error(""), "compiled");
}

// libpcap would ask the system's resolver for each of these names.
TEST(PacketFilter, RefusesNamesThatWouldBeLookedUp) {
  for (const char* expression : {"host some.name",
                                 "src some.name",
                                 "not foo",
                                 "net loop",
                                 "host 10.0.0.1 and some.name",
                                 "host \\host",
                                 "src or dst foo",
                                 "ip6 host abc",
                                 "host 1.2.3.4.5",
                                 "host 10.0.0.1x",
                                 "host fe80",
                                 "host fe80::1%eth0",
                                 "host fe80::xyz",
                                 "host ab:cd",
                                 "host some.name.",
                                 "tcp port 80 or foo.bar",
                                 "host TCP",
                                 "gateway foo",
                                 "tcp[foo] = 1",
                                 "host port-80",
                                 "(foo)",
                                 "!foo",
                                 "host _foo",
                                 "host foo-",
                                 "host -foo",
                                 "ether host foo",
                                 "host 0x1g"}) {
    const auto filter = PacketFilter::compile(expression);
    ASSERT_FALSE(filter) << expression;
    EXPECT_THAT(filter.error(), HasSubstr("names are not looked up")) << expression;
  }
}

TEST(PacketFilter, AcceptsAddressesNumbersAndLocalNames) {
  for (const char* expression : {"host ::1",
                                 "host ::ffff:1.2.3.4",
                                 "net 10",
                                 "net 192.168",
                                 "net 10.0.0.0 mask 255.0.0.0",
                                 "net fd00::/8",
                                 "tcp[12:1] & 0xf0 > 0x50",
                                 "ip[2:2]-((ip[0]&0xf)<<2) > 5",
                                 "port 80",
                                 "ip proto 17",
                                 "ip proto \\udp",
                                 "less 100",
                                 "greater 100",
                                 "udp[4:2] = 8 or icmp",
                                 "icmp[icmptype] == icmp-echo",
                                 "icmp6[icmp6type] != icmp6-echo",
                                 "not (tcp or udp)",
                                 "src and dst host 10.0.0.1",
                                 "tcp port 80 or 443",
                                 "ip6 protochain 6"}) {
    const auto filter = PacketFilter::compile(expression);
    EXPECT_TRUE(filter) << expression << ": " << filter.error();
  }
}

// A word that libpcap does not know would be a host's name there, so each must be one of its own.
TEST(FilterWords, AreAllWordsOfThisLibpcap) {
  for (const std::string& word : filter_words()) {
    const auto filter = PacketFilter::compile("host " + word);
    if (filter) {  // icmp-echo is 8, and `host 8` an address
      EXPECT_TRUE(PacketFilter::compile("tcp[0] = " + word)) << word;
    } else {
      EXPECT_THAT(filter.error(), HasSubstr("syntax error")) << word;
    }
  }
}

TEST(PacketFilter, CompilesTheLongestExpressionsInAShortTime) {
  std::string ports = "port 1";
  for (int i = 2; ports.size() < kFilterBytesMax - 20; ++i)
    ports += " or port " + std::to_string(i);
  std::string ranges = "portrange 1-2";
  for (int i = 4; ranges.size() < kFilterBytesMax - 30; ++i) {
    ranges += " or portrange " + std::to_string(i) + "-" + std::to_string(2 * i);
  }
  std::string nested = std::string(500, '(') + "tcp" + std::string(500, ')');
  std::string hosts = "host ::1";
  while (hosts.size() < kFilterBytesMax - 20) hosts += " and not host ::2";
  std::string chains = "ip6 protochain 6";
  while (chains.size() < kFilterBytesMax - 30) chains += " or ip6 protochain 17";
  std::string sums = "len";
  while (sums.size() < kFilterBytesMax - 20) sums += "+tcp[0]";
  sums += " > 5";
  for (const std::string& expression : {ports, ranges, nested, hosts, chains, sums}) {
    const auto start = std::chrono::steady_clock::now();
    (void)PacketFilter::compile(expression);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(took, std::chrono::seconds(5)) << expression.substr(0, 40);
  }
}

}  // namespace
}  // namespace netrig
