#include "harness/link/delivery_trace.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/quantity.h"

namespace netrig {
namespace {

constexpr uint64_t kNanoseconds = 1'000'000;  // in a millisecond

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string_view trimmed(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t\r");
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Instant DeliveryTrace::when(uint64_t number) const {
  const uint64_t passage = number / milliseconds_.size();
  const uint64_t at = passage * milliseconds_.back() + milliseconds_[number % milliseconds_.size()];
  const auto limit = static_cast<uint64_t>(Instant::max().time_since_epoch().count());
  return at > limit / kNanoseconds ? Instant::max()
                                   : Instant{Duration(static_cast<int64_t>(at * kNanoseconds))};
}

uint64_t DeliveryTrace::first_after(Instant now) const {
  if (now < Instant{}) return 0;
  const uint64_t now_ms = static_cast<uint64_t>(now.time_since_epoch().count()) / kNanoseconds;
  // The last opportunity of a passage may be at the instant at which the next one begins.
  const uint64_t passage = now_ms / milliseconds_.back();
  uint64_t number = (passage == 0 ? 0 : passage - 1) * milliseconds_.size();
  while (when(number + milliseconds_.size() - 1) <= now) number += milliseconds_.size();
  // In whole milliseconds: one is after `now` if it is in a later millisecond.
  const uint64_t begun = number / milliseconds_.size() * milliseconds_.back();
  const uint64_t left = now_ms >= begun ? now_ms - begun : 0;
  const auto later =
      now_ms >= begun ? std::ranges::upper_bound(milliseconds_, left) : milliseconds_.begin();
  return number + static_cast<uint64_t>(later - milliseconds_.begin());
}

std::expected<std::shared_ptr<const DeliveryTrace>, std::string> parse_delivery_trace(
    std::string_view text) {
  std::vector<uint32_t> milliseconds;
  uint64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (is_blank(line)) continue;
    const std::string_view word = trimmed(line);
    const Parsed<int64_t> value = parse_integer(word.substr(0, 20));
    if (!value || *value < 0 || *value > kTraceMax / 1ms) {
      return std::unexpected(fmt::format("its line {} is no number of milliseconds in 0..{}",
                                         number, kTraceMax / 1ms));
    }
    if (!milliseconds.empty() && static_cast<uint32_t>(*value) < milliseconds.back()) {
      return std::unexpected(fmt::format("its line {} goes back in time", number));
    }
    if (milliseconds.size() == kOpportunitiesMax) {
      return std::unexpected(fmt::format("it has more than {} lines", kOpportunitiesMax));
    }
    milliseconds.push_back(static_cast<uint32_t>(*value));
  }
  if (milliseconds.empty()) return std::unexpected("it has no line");
  if (milliseconds.back() == 0) return std::unexpected("it ends at the instant at which it begins");
  return std::make_shared<const DeliveryTrace>(std::move(milliseconds));
}

Instant TraceCursor::begin(Instant now) {
  if (trace_->when(number_) <= now) {
    number_ = trace_->first_after(now);
    left_ = kOpportunityOctets;
  } else if (left_ == 0) {
    ++number_;
    left_ = kOpportunityOctets;
  }
  return trace_->when(number_);
}

Instant TraceCursor::take(uint64_t octets) {
  if (octets > left_) {
    const uint64_t beyond = octets - left_;
    number_ += (beyond + kOpportunityOctets - 1) / kOpportunityOctets;
    const uint64_t used = beyond % kOpportunityOctets;
    left_ = used == 0 ? 0 : kOpportunityOctets - used;
  } else {
    left_ -= octets;
  }
  return trace_->when(number_);
}

}  // namespace netrig
