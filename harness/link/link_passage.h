#pragma once
// For tests of the link: a stream of numbered packets offered to a link, and what becomes of them.

#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "harness/link/link.h"

namespace netrig::link_test {

using Action = LinkRule::Action;

inline constexpr uint64_t kSeed = 7;

inline Instant at(Duration since_start) {
  return Instant{since_start};
}

inline OfferedPacket packet(uint64_t ordinal, uint32_t payload_size = 100) {
  return {.transport = Transport::kUdp,
          .stream = flow_stream("client -> server", "udp|server:53|1"),
          .ordinal = ordinal,
          .payload_size = payload_size,
          .handle = ordinal};
}

inline Link link_with(LinkConfig config, uint64_t seed = kSeed) {
  return Link(seed, "client -> server", std::move(config));
}

// What one packet after the other, `spacing` apart, becomes.
struct Passage {
  std::vector<Fate> fates;            // by ordinal - 1
  std::vector<Departure> departures;  // in order

  std::vector<uint64_t> handles() const {
    std::vector<uint64_t> result;
    for (const Departure& departure : departures) result.push_back(departure.handle);
    return result;
  }
  std::vector<uint64_t> ordinals_where(bool (*chosen)(const Fate&)) const {
    std::vector<uint64_t> result;
    for (size_t i = 0; i < fates.size(); ++i) {
      if (chosen(fates[i])) result.push_back(i + 1);
    }
    return result;
  }
};

inline bool is_dropped(const Fate& fate) {
  return fate.dropped != DropCause::kNone;
}
inline bool is_lost(const Fate& fate) {
  return fate.dropped == DropCause::kLoss;
}
inline bool is_duplicated(const Fate& fate) {
  return fate.copies == 2;
}
inline bool is_corrupted(const Fate& fate) {
  return fate.corrupt_bit.has_value();
}
inline bool is_reordered(const Fate& fate) {
  return fate.reordered;
}

inline void append(std::vector<Departure>& all, const std::vector<Departure>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

inline Passage pass(LinkConfig config, uint64_t count, Duration spacing = 1ms,
                    uint64_t seed = kSeed) {
  Link link = link_with(std::move(config), seed);
  Passage passage;
  Instant now = at(0ms);
  for (uint64_t ordinal = 1; ordinal <= count; ++ordinal, now += spacing) {
    passage.fates.push_back(link.offer(now, packet(ordinal)));
    append(passage.departures, link.take_due(now));
  }
  append(passage.departures, link.take_due(Instant::max()));
  EXPECT_TRUE(link.empty());
  EXPECT_FALSE(link.next_due());
  return passage;
}

inline LinkConfig with_rule(LinkRule rule) {
  LinkConfig config;
  config.rules.push_back(std::move(rule));
  return config;
}

// RFC 4737 section 4.1.1 (Type-P-Reordered): a packet is reordered if a later one arrived before
// it.
inline uint64_t reordered_by_rfc4737(const std::vector<uint64_t>& arrivals) {
  uint64_t next_expected = 0, reordered = 0;
  for (uint64_t ordinal : arrivals) {
    if (ordinal >= next_expected) {
      next_expected = ordinal + 1;
    } else {
      ++reordered;
    }
  }
  return reordered;
}

inline void expect_rate(uint64_t happened, uint64_t draws, double rate) {
  const double sigma = std::sqrt(static_cast<double>(draws) * rate * (1 - rate));
  EXPECT_NEAR(static_cast<double>(happened), static_cast<double>(draws) * rate, 5 * sigma);
}

}  // namespace netrig::link_test
