#pragma once
// Reads captures that anyone made: pcap and pcapng, both byte orders, gzip or not, untrusted.
// Link-layer headers are stripped, so that every packet starts at its IP header; packets without IP
// are counted. A cut-off tail gives what was whole and a note. Memory is bounded by the file's size
// (and by kCaptureBytesMax after decompression). No reassembly here.

#include <cstddef>
#include <expected>
#include <istream>
#include <string>

#include "harness/base/bytes.h"
#include "harness/capture/captured_packet.h"

namespace netrig {

inline constexpr size_t kCaptureBytesMax = size_t{4} << 30;

// The error is a sentence without the path: "not a capture: starts with 7f 45 4c 46".
std::expected<Recording, std::string> read_capture_file(
    const std::string& path);  // "-": standard input
std::expected<Recording, std::string> parse_capture(ByteView file);

// What is left of a link-layer frame from its IP header on; empty if it carries no IP. `link_type`
// is a LINKTYPE_ value (tcpdump.org/linktypes.html): 0 NULL, 1 Ethernet (VLAN, QinQ, PPPoE inside),
// 9 PPP, 101 RAW, 108 LOOP, 113 LINUX_SLL, 228 IPV4, 229 IPV6, 276 LINUX_SLL2.
ByteView strip_link_layer(uint16_t link_type, ByteView frame);
bool link_type_known(uint16_t link_type);

}  // namespace netrig
