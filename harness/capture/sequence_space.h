#pragma once
// TCP sequence numbers without the wrap-around (RFC 9293 section 3.4): positions of 64 bits whose
// low 32 are the number on the wire. Arithmetic only.

#include <cstdint>
#include <iterator>
#include <map>

namespace netrig {

// The first number seen becomes this position, so that earlier ones stay positive.
inline int64_t first_position(uint32_t sequence) {
  return (int64_t{1} << 32) + sequence;
}

// The position nearest to `reference` with these low 32 bits.
inline int64_t position_near(uint32_t sequence, int64_t reference) {
  return reference + static_cast<int32_t>(sequence - static_cast<uint32_t>(reference));
}

// Half-open ranges of positions; touching ones are joined.
class PositionSet {
 public:
  bool overlaps(int64_t begin, int64_t end) const {
    auto next = ranges_.lower_bound(end);  // the first that starts too late
    return next != ranges_.begin() && std::prev(next)->second > begin;
  }
  void insert(int64_t begin, int64_t end) {
    if (begin >= end) return;
    auto next = ranges_.upper_bound(begin);
    if (next != ranges_.begin() && std::prev(next)->second >= begin) {
      next = std::prev(next);
      begin = next->first;
    }
    while (next != ranges_.end() && next->first <= end) {
      if (next->second > end) end = next->second;
      next = ranges_.erase(next);
    }
    ranges_.emplace(begin, end);
  }

 private:
  std::map<int64_t, int64_t> ranges_;
};

}  // namespace netrig
