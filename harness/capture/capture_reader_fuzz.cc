// Whatever the octets: no crash, and what parse_capture gives holds together and is bounded by its
// input.

#include <cstddef>
#include <cstdint>

#include "harness/base/require.h"
#include "harness/capture/capture_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace netrig;
  const ByteView file(reinterpret_cast<const char*>(data), size);
  const auto recording = parse_capture(file);
  if (!recording) {
    NETRIG_REQUIRE(!recording.error().empty());
    return 0;
  }
  // A thousandfold is what deflate can do at most.
  NETRIG_REQUIRE(recording->packets.size() <= size * 1100 / 16);
  NETRIG_REQUIRE(recording->notes.size() < 16 + recording->interfaces.size());
  size_t octets = 0;
  for (const CapturedPacket& packet : recording->packets) {
    NETRIG_REQUIRE(packet.interface < recording->interfaces.size());
    NETRIG_REQUIRE(!packet.data.empty());
    NETRIG_REQUIRE(packet.original_length >= packet.data.size());
    octets += packet.data.size() + packet.comment.size();
  }
  NETRIG_REQUIRE(octets <= size * 1100);
  return 0;
}
