#include "harness/run/stream_pacer.h"

#include <algorithm>

namespace netrig {

StreamPacer::StreamPacer(const PacingOptions& options, uint64_t seed, const std::string& stream)
    : options_(options), chance_(seed, stable_hash(stream)) {}

StreamPacer::Piece StreamPacer::next(Instant now, size_t available) {
  const uint64_t number = ++pieces_;
  Piece piece{available, now};
  if (options_.chop) {
    const auto spread = static_cast<uint64_t>(options_.chop->high - options_.chop->low) + 1;
    const uint64_t size =
        static_cast<uint64_t>(options_.chop->low) + chance_.below(spread, number, Purpose::kPiece);
    piece.octets = std::min<uint64_t>(available, size);
  }
  const Duration spread = options_.delay.high - options_.delay.low;
  const uint64_t drawn =
      chance_.below(static_cast<uint64_t>(spread.count()) + 1, number, Purpose::kDelay);
  piece.due += options_.delay.low + Duration(static_cast<int64_t>(drawn));
  if (options_.rate > 0) {
    // All of a piece leaves at once, when its last octet would have.
    const uint64_t nanoseconds = piece.octets * 8 * 1'000'000'000;  // a read has 64 KiB at most
    const Duration takes(static_cast<int64_t>((nanoseconds + options_.rate - 1) / options_.rate));
    sent_at_ = std::max(now, sent_at_) + takes;
    piece.due = std::max(piece.due, sent_at_);
  }
  if (last_due_ != Instant::min()) {
    const bool spaced = options_.chop && options_.rate == 0;
    piece.due = std::max(piece.due, last_due_ + (spaced ? kChopGap : Duration{0}));
  }
  last_due_ = piece.due;
  return piece;
}

}  // namespace netrig
