// libFuzzer: decode_packet takes any octets; what it decoded whole, encode_packet writes so that it
// decodes to the same packet with right checksums.
#include <cstddef>
#include <cstdint>

#include "harness/base/require.h"
#include "harness/net/packet.h"

namespace {

bool same_addresses(const netrig::IpHeader& a, const netrig::IpHeader& b) {
  return a.source == b.source && a.destination == b.destination && a.protocol == b.protocol &&
         a.fragment_offset == b.fragment_offset && a.more_fragments == b.more_fragments &&
         a.traffic_class == b.traffic_class && a.hop_limit == b.hop_limit;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace netrig;
  const auto decoded = decode_packet(ByteView(reinterpret_cast<const char*>(data), size));
  if (!decoded) return 0;
  format_packet(*decoded);
  const bool whole = decoded->payload.size() == decoded->payload_length;
  // Longer ones (jumbograms, offloaded segments) do not fit a length field.
  if (!whole || size > 65535) return 0;

  const auto again = decode_packet(encode_packet(*decoded));
  NETRIG_REQUIRE(again.has_value());
  NETRIG_REQUIRE(same_addresses(again->ip, decoded->ip));
  NETRIG_REQUIRE(again->source() == decoded->source());
  NETRIG_REQUIRE(again->destination() == decoded->destination());
  NETRIG_REQUIRE(again->payload == decoded->payload);
  NETRIG_REQUIRE(again->payload_length == decoded->payload_length);
  NETRIG_REQUIRE(again->tcp.has_value() == decoded->tcp.has_value());
  NETRIG_REQUIRE(!again->tcp || again->tcp->options == decoded->tcp->options);
  NETRIG_REQUIRE(again->icmp.has_value() == decoded->icmp.has_value());
  NETRIG_REQUIRE(again->ip_checksum_ok && again->transport_checksum_ok);
  return 0;
}
