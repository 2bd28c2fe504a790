#pragma once
// When the octets of a stream go on: cut into pieces, kept back, slowed down. Pure: time comes in,
// instants come out; who sends is somebody else. The sizes and delays are a function of the seed,
// the stream's name and the number of the piece.

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/chance.h"
#include "harness/base/quantity.h"
#include "harness/base/time.h"

namespace netrig {

struct PacingOptions {
  std::optional<Range<int64_t>> chop;  // octets of a piece
  Range<Duration> delay{Duration{0}, Duration{0}};
  uint64_t rate = 0;  // bits per second; 0: no limit

  bool do_nothing() const { return !chop && delay.high == Duration{0} && rate == 0; }
};

inline constexpr Duration kChopGap = 1ms;  // between pieces, so that a receiver sees them as such

class StreamPacer {
 public:
  StreamPacer(const PacingOptions& options, uint64_t seed, const std::string& stream);

  struct Piece {
    size_t octets = 0;  // at least one
    Instant due;        // when it goes on; never before that of the piece before
  };
  // The next piece of `available` octets (at least one) that came at `now`.
  Piece next(Instant now, size_t available);

 private:
  PacingOptions options_;
  Chance chance_;
  uint64_t pieces_ = 0;
  Instant last_due_ = Instant::min();
  Instant sent_at_ = Instant::min();  // when the last octet left, at `rate`
};

}  // namespace netrig
