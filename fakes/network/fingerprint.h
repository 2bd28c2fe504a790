#pragma once
// What a network carried, hashed packet by packet in order of sending, in separate parts: a change
// of timing is told from a change of content. Equal for equal traffic in every build; no
// cryptographic hash. Ports are included, also ephemeral ones: they are deterministic here.

#include <cstdint>
#include <map>
#include <string>

#include "fakes/network/fake_packet.h"
#include "harness/link/fate.h"

namespace netrig {

class TrafficFingerprint {
 public:
  // `packet.sent_at` is set.
  void add(const FakePacket& packet, const Fate& fate);
  // "time", "link" (hosts and fates), "headers", "payload".
  std::map<std::string, uint64_t> parts() const;

 private:
  void add_segment(const tcp::Segment& segment);

  uint64_t time_ = 1;
  uint64_t link_ = 2;
  uint64_t headers_ = 3;
  uint64_t payload_ = 4;
};

}  // namespace netrig
