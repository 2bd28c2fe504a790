// libFuzzer: any octets behind any offload header. What is accepted is cut without a gap, its
// slices hold the segments that they were cut from, and its checksums are right once they are
// complete.
#include <cstring>

#include "harness/base/require.h"
#include "harness/net/packet.h"
#include "harness/wire/fragments.h"
#include "harness/wire/wire_packet.h"

namespace {

using namespace netrig;

// Cutting twice gives what cutting once gives.
void check_slice(const WirePacket& packet, const virtio_net_hdr& offload, ByteView octets,
                 uint32_t first, uint32_t count) {
  const WireSlice slice = slice_segments(packet, offload, octets, first, count);
  NETRIG_REQUIRE(slice.header_size <= WireSlice::kHeaderMax);
  Bytes cut(slice.header_view());
  cut += slice.payload;
  const auto again = parse_wire_packet(slice.offload, cut);
  NETRIG_REQUIRE(again && again->segments() == count);
  NETRIG_REQUIRE(again->header_size == packet.header_size);
  Bytes one;
  Bytes other;
  append_segment(one, packet, offload, octets, first + count - 1);
  append_segment(other, *again, slice.offload, cut, count - 1);
  NETRIG_REQUIRE(one == other);
}

void check_segments(const WirePacket& packet, const virtio_net_hdr& offload, ByteView octets) {
  const uint32_t segments = packet.segments();
  uint64_t payload = 0;
  for (uint32_t i = 0; i < segments; ++i) payload += packet.payload_of(i);
  NETRIG_REQUIRE(payload == packet.payload_size);
  check_slice(packet, offload, octets, 0, 1);
  check_slice(packet, offload, octets, segments / 2, segments - segments / 2);
  check_slice(packet, offload, octets, 0, segments);
  check_slice(packet, offload, octets, segments - 1, 1);
}

void change(Bytes segment, uint64_t bit) {
  const size_t size = segment.size();
  flip_payload_bit(segment, bit);
  mark_congestion(segment);
  NETRIG_REQUIRE(segment.size() == size);
  const auto answer = decode_packet(packet_too_big(segment, static_cast<uint32_t>(bit)));
  NETRIG_REQUIRE(answer && answer->transport_checksum_ok);
}

// One packet's octets as many fragments, and whatever they make.
void gather(FragmentGatherer& gatherer, ByteView octets) {
  while (octets.size() > 1) {
    const size_t size = octet_at(octets, 0);
    octets.remove_prefix(1);
    const ByteView part = octets.substr(0, size);
    octets.remove_prefix(part.size());
    const auto packet = parse_wire_packet({}, part);
    if (!packet || !packet->fragment) continue;
    auto whole = gatherer.add(*packet, part);
    if (!whole) continue;
    NETRIG_REQUIRE(!whole->fragments.empty());
    for (uint64_t bit = 0; bit < 2000; bit += 61) flip_payload_bit(*whole, bit);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  virtio_net_hdr offload{};
  if (size < sizeof(offload) + 8) return 0;
  std::memcpy(&offload, data, sizeof(offload));
  uint64_t bit = 0;
  std::memcpy(&bit, data + sizeof(offload), sizeof(bit));
  const ByteView octets(reinterpret_cast<const char*>(data) + sizeof(offload) + 8,
                        size - sizeof(offload) - 8);
  FragmentGatherer gatherer;
  gather(gatherer, octets);
  const auto packet = parse_wire_packet(offload, octets);
  if (!packet) return 0;
  check_segments(*packet, offload, octets);
  Bytes segment;
  append_segment(segment, *packet, offload, octets, 0);
  change(segment, bit % (uint64_t{packet->payload_size} * 8 + 9));
  return 0;
}
