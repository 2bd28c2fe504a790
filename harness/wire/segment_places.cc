#include "harness/wire/segment_places.h"

#include <algorithm>

namespace netrig {

SegmentPlaces::Place SegmentPlaces::sent(uint32_t sequence, uint32_t length) {
  const uint64_t relative = unwrap(sequence);
  Place place{.relative = relative};
  if (relative >= end_) {
    // Nothing that begins here or behind it was sent.
    end_ = relative + length;
    return place;
  }
  end_ = std::max(end_, relative + length);
  auto repeated = repeated_.lower_bound(relative);
  if (repeated == repeated_.end() || repeated->first != relative) {
    if (repeated_.size() >= kRepeatedMax) {
      // Where a sender goes on, it does so upwards: the lowest was acknowledged long ago.
      if (repeated == repeated_.begin()) ++repeated;
      repeated_.erase(repeated_.begin());
    }
    repeated = repeated_.emplace_hint(repeated, relative, 0);
  }
  place.times_sent = ++repeated->second;
  return place;
}

// The position with these low 32 bits that is nearest to the highest octet sent. A window is less
// than 2^30 octets (RFC 7323 section 2.3), so a sender is never further away.
uint64_t SegmentPlaces::unwrap(uint32_t sequence) const {
  const uint32_t expected = initial_ + static_cast<uint32_t>(end_);
  const auto distance = static_cast<int32_t>(sequence - expected);
  const int64_t relative = static_cast<int64_t>(end_) + distance;
  return relative < 0 ? 0 : static_cast<uint64_t>(relative);
}

}  // namespace netrig
