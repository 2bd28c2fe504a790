#pragma once
// The place of a TCP segment in its direction of a connection, by what is seen on the wire alone:
// how far from the initial sequence number it begins and how often something that begins there was
// sent before. So the same segments have the same names in every run and every world (fate.h). One
// for each direction of a connection.

#include <cstddef>
#include <cstdint>
#include <map>

namespace netrig {

class SegmentPlaces {
 public:
  // Positions sent more than once that are remembered; beyond it the lowest are forgotten.
  static constexpr size_t kRepeatedMax = 65'536;

  // `initial`: the sequence number of the SYN, or of the first segment seen minus one.
  explicit SegmentPlaces(uint32_t initial) : initial_(initial) {}

  struct Place {
    uint64_t relative = 0;    // 0 the SYN, 1 the first octet; never wraps
    uint32_t times_sent = 0;  // before: 0 the first time
    // As in the simulated world: unique in the direction.
    uint64_t ordinal() const { return relative * 65536 + times_sent; }
  };
  // A segment that takes sequence space is sent.
  Place sent(uint32_t sequence, uint32_t length);

 private:
  uint64_t unwrap(uint32_t sequence) const;

  uint32_t initial_;
  uint64_t end_ = 0;                       // relative, behind the highest octet sent so far
  std::map<uint64_t, uint32_t> repeated_;  // times sent after the first, by relative position
};

}  // namespace netrig
