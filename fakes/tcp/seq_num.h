#pragma once
// TCP sequence numbers: 32 bits that wrap (RFC 9293 section 3.4). Comparisons are those of the
// RFC: right for numbers less than 2^31 apart.

#include <cstdint>

namespace netrig::tcp {

class SeqNum {
 public:
  constexpr SeqNum() = default;
  constexpr explicit SeqNum(uint32_t value) : value_(value) {}
  constexpr uint32_t value() const { return value_; }

  friend constexpr SeqNum operator+(SeqNum a, uint32_t by) { return SeqNum(a.value_ + by); }
  friend constexpr SeqNum operator-(SeqNum a, uint32_t by) { return SeqNum(a.value_ - by); }
  constexpr SeqNum& operator+=(uint32_t by) {
    value_ += by;
    return *this;
  }
  // How far `a` is ahead of `b`; negative if behind.
  friend constexpr int32_t operator-(SeqNum a, SeqNum b) {
    return static_cast<int32_t>(a.value_ - b.value_);
  }
  friend constexpr bool operator==(SeqNum, SeqNum) = default;
  friend constexpr bool operator<(SeqNum a, SeqNum b) { return a - b < 0; }
  friend constexpr bool operator>(SeqNum a, SeqNum b) { return a - b > 0; }
  friend constexpr bool operator<=(SeqNum a, SeqNum b) { return a - b <= 0; }
  friend constexpr bool operator>=(SeqNum a, SeqNum b) { return a - b >= 0; }

 private:
  uint32_t value_ = 0;
};

constexpr SeqNum later_of(SeqNum a, SeqNum b) {
  return a < b ? b : a;
}
constexpr SeqNum earlier_of(SeqNum a, SeqNum b) {
  return a < b ? a : b;
}

}  // namespace netrig::tcp
