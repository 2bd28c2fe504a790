#pragma once
// Helpers for the tests of this folder alone: packets, capture files in either byte order, and
// tshark.

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "harness/base/fd.h"
#include "harness/capture/byte_order.h"
#include "harness/capture/capture_reader.h"
#include "harness/capture/captured_packet.h"
#include "harness/net/packet.h"

namespace netrig::testing {

inline IpAddress client_address(bool v6 = false) {
  return v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
}
inline IpAddress server_address(bool v6 = false) {
  return v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2);
}

struct Segment {
  bool from_client = true;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = kTcpAck;
  Bytes payload = {};
  bool v6 = false;
  uint16_t client_port = 40000;
};

inline Bytes tcp_octets(const Segment& segment) {
  Packet packet;
  packet.ip.source = client_address(segment.v6);
  packet.ip.destination = server_address(segment.v6);
  packet.ip.protocol = kProtocolTcp;
  TcpHeader tcp;
  tcp.source_port = segment.client_port;
  tcp.destination_port = 80;
  if (!segment.from_client) {
    std::swap(packet.ip.source, packet.ip.destination);
    std::swap(tcp.source_port, tcp.destination_port);
  }
  tcp.sequence = segment.sequence;
  tcp.acknowledgement = segment.acknowledgement;
  tcp.flags = segment.flags;
  tcp.window = 65535;
  packet.tcp = tcp;
  packet.payload = segment.payload;
  return encode_packet(packet);
}

inline Bytes udp_octets(const Bytes& payload, bool v6 = false) {
  Packet packet;
  packet.ip.source = client_address(v6);
  packet.ip.destination = server_address(v6);
  packet.ip.protocol = kProtocolUdp;
  packet.udp = UdpHeader{.source_port = 5000, .destination_port = 5001};
  packet.payload = payload;
  return encode_packet(packet);
}

inline CapturedPacket captured(Bytes data, int64_t time_ns = 0, uint32_t interface = 0) {
  CapturedPacket packet;
  packet.time_ns = time_ns;
  packet.interface = interface;
  packet.original_length = static_cast<uint32_t>(data.size());
  packet.data = std::move(data);
  return packet;
}

inline Recording recording_of(const std::vector<Segment>& segments) {
  Recording recording;
  recording.interfaces.push_back({.name = "eth0", .link_type = 101});
  for (const Segment& segment : segments) {
    recording.packets.push_back(captured(tcp_octets(segment)));
  }
  return recording;
}

// Deleted when it goes out of scope.
class TemporaryFile {
 public:
  TemporaryFile() : path_(::testing::TempDir() + "netrig-capture-XXXXXX") {
    file_ = Fd(::mkstemp(path_.data()));
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }
  Fd take() { return std::move(file_); }
  Bytes read() const {
    std::ifstream in(path_, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }

 private:
  std::string path_;
  Fd file_;
};

// What a shell command prints. Commands are the tests' own.
inline std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> part{};
  while (size_t got = ::fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), got);
  ::pclose(pipe);
  return output;
}

inline bool has_tshark() {
  return !output_of("command -v tshark").empty();
}

inline Bytes pcap_header(ByteOrder order, uint32_t magic, uint32_t link_type, uint16_t minor = 4) {
  Bytes file;
  append_u32(file, magic, order);
  append_u16(file, 2, order);
  append_u16(file, minor, order);
  append_u32(file, 0, order);
  append_u32(file, 0, order);
  append_u32(file, 65535, order);
  append_u32(file, link_type, order);
  return file;
}

inline void append_pcap_record(Bytes& file, ByteOrder order, uint32_t seconds, uint32_t fraction,
                               ByteView data, uint32_t original, bool modified = false) {
  append_u32(file, seconds, order);
  append_u32(file, fraction, order);
  append_u32(file, static_cast<uint32_t>(data.size()), order);
  append_u32(file, original, order);
  if (modified) file.append(8, '\7');
  file.append(data);
}

inline void append_option(Bytes& out, ByteOrder order, uint16_t code, ByteView value) {
  append_u16(out, code, order);
  append_u16(out, static_cast<uint16_t>(value.size()), order);
  out.append(value).append((4 - value.size() % 4) % 4, '\0');
}

inline void append_block(Bytes& file, ByteOrder order, uint32_t type, ByteView body) {
  const auto length = static_cast<uint32_t>((body.size() + 3) / 4 * 4 + 12);
  append_u32(file, type, order);
  append_u32(file, length, order);
  file.append(body).append((4 - body.size() % 4) % 4, '\0');
  append_u32(file, length, order);
}

inline void append_section(Bytes& file, ByteOrder order) {
  Bytes body;
  append_u32(body, 0x1A2B3C4D, order);
  append_u32(body, order == ByteOrder::kBig ? 0x00010000 : 0x00000001, order);
  body.append(8, '\xff');
  append_block(file, order, 0x0A0D0D0A, body);
}

inline void append_interface(Bytes& file, ByteOrder order, uint16_t link_type,
                             const Bytes& options = {}, uint32_t snap_length = 0) {
  Bytes body;
  append_u16(body, link_type, order);
  append_u16(body, 0, order);
  append_u32(body, snap_length, order);
  append_block(file, order, 1, body + options);
}

inline void append_enhanced(Bytes& file, ByteOrder order, uint32_t interface, uint64_t ticks,
                            const Bytes& data, const Bytes& options = {}) {
  Bytes body;
  append_u32(body, interface, order);
  append_u32(body, static_cast<uint32_t>(ticks >> 32), order);
  append_u32(body, static_cast<uint32_t>(ticks), order);
  append_u32(body, static_cast<uint32_t>(data.size()), order);
  append_u32(body, static_cast<uint32_t>(data.size()), order);
  body += data;
  body.append((4 - data.size() % 4) % 4, '\0');
  append_block(file, order, 6, body + options);
}

}  // namespace netrig::testing
