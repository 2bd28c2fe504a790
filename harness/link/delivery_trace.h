#pragma once
// A link that delivers at certain instants only, as a Mahimahi trace lists them (mm-link(1)): each
// line is a millisecond at which 1500 octets can leave; at its end the trace begins anew. Plain
// values, shared by all links that name the file; a cursor knows how far one direction is.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"

namespace netrig {

inline constexpr uint32_t kOpportunityOctets = 1500;
inline constexpr size_t kOpportunitiesMax = 1'000'000;
inline constexpr Duration kTraceMax = 24h;  // that one passage may last

class DeliveryTrace {
 public:
  // Ascending, the last one after the start: the length of a passage.
  explicit DeliveryTrace(std::vector<uint32_t> milliseconds)
      : milliseconds_(std::move(milliseconds)) {}

  // The instant of the `number`-th opportunity (from 0) over all passages. Numbers up to 2^40.
  Instant when(uint64_t number) const;
  // The number of the first opportunity after `now`.
  uint64_t first_after(Instant now) const;
  size_t size() const { return milliseconds_.size(); }

 private:
  std::vector<uint32_t> milliseconds_;
};

// The error is a sentence about "it".
std::expected<std::shared_ptr<const DeliveryTrace>, std::string> parse_delivery_trace(
    std::string_view text);

// How far one direction has used a trace up.
class TraceCursor {
 public:
  explicit TraceCursor(const DeliveryTrace& trace) : trace_(&trace) {}

  // When sending can begin for what comes at `now`: what is left of the opportunity in use, or the
  // first one after `now`. An opportunity that nobody used is gone.
  Instant begin(Instant now);
  // Sends `octets`; answers when the last of them leaves. One opportunity carries several small
  // packets, a large one takes several.
  Instant take(uint64_t octets);

 private:
  const DeliveryTrace* trace_;
  uint64_t number_ = 0;
  uint64_t left_ = kOpportunityOctets;
};

}  // namespace netrig
