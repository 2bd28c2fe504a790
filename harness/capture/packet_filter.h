#pragma once
// Which packets of a recording are meant: a tcpdump filter (pcap-filter(7), compiled by libpcap for
// link type RAW), or one of the built-in names, which work on IPv4 and IPv6 alike where `tcp[...]`
// does not. The built-in names that depend on earlier packets (retransmission) need the recording
// in order.

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/capture/captured_packet.h"

namespace netrig {

class PacketFilter {
 public:
  // The error is libpcap's text ("can't parse filter expression: syntax error"). Untrusted input:
  // at most kFilterBytesMax, and no name of a host or network, because libpcap would ask the
  // network for it (filter_text.h).
  static std::expected<PacketFilter, std::string> compile(const std::string& expression);
  // Names: syn (SYN without ACK), syn_ack, fin, reset, data (TCP or UDP with payload), ack (TCP,
  // ACK only, no payload, no SYN/FIN/RST), retransmission (TCP octets or SYN/FIN seen before), tcp,
  // udp, icmp.
  static bool is_builtin(std::string_view name);
  static const std::vector<std::string>& builtin_names();
  static PacketFilter builtin(std::string_view name);  // is_builtin(name) must hold

  // Indices into recording.packets, ascending.
  std::vector<size_t> select(const Recording& recording) const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;  // null for a built-in
  std::string builtin_;
};

}  // namespace netrig
