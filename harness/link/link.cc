#include "harness/link/link.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig {

namespace {

__extension__ using Uint128 = unsigned __int128;

// An hour-long queue of hour-long packets must not wrap around to the past.
Instant later(Instant start, Duration by) {
  return by > Instant::max() - std::max(start, Instant{}) ? Instant::max() : start + by;
}

Duration sending_time(uint64_t size, uint64_t bits_per_second) {
  const Uint128 bit_nanoseconds = static_cast<Uint128>(size) * 8 * 1'000'000'000;
  const Uint128 time = (bit_nanoseconds + bits_per_second - 1) / bits_per_second;
  return time > static_cast<Uint128>(Duration::max().count())
             ? Duration::max()
             : Duration(static_cast<int64_t>(time));
}

Duration draw_delay(const Range<Duration>& range, const Chance& chance, uint64_t ordinal,
                    Purpose purpose) {
  if (range.low == range.high) return range.low;
  const uint64_t values = static_cast<uint64_t>((range.high - range.low).count()) + 1;
  return range.low + Duration(static_cast<int64_t>(chance.below(values, ordinal, purpose)));
}

}  // namespace

bool LinkConfig::is_transparent() const {
  return delay == Range<Duration>{} && loss.ppm == 0 && duplicate.ppm == 0 && corrupt.ppm == 0 &&
         reorder.ppm == 0 && rate == 0 && rules.empty();
}

// What stages 2 to 5, 7 and 8 want of one packet, before stage 6 may refuse a copy.
struct Link::Draws {
  DropCause dropped = DropCause::kNone;
  bool duplicate = false;
  bool corrupt = false;
  bool reorder = false;
  std::optional<uint64_t> corrupt_bit;
  Duration rule_delay{0};
  Duration delay[2] = {};  // of the original, of the duplicate
};

Link::Link(uint64_t seed, std::string direction, LinkConfig config)
    : seed_(seed),
      direction_(std::move(direction)),
      config_(std::move(config)),
      rule_counts_(config_.rules.size()) {
  NETRIG_REQUIRE(config_.delay.low >= Duration{0} && config_.delay.low <= config_.delay.high);
  for (const LinkRule& rule : config_.rules) NETRIG_REQUIRE(rule.delay >= Duration{0});
}

Fate Link::offer(Instant now, const OfferedPacket& packet) {
  const Number number = next_packet_++ * 2;
  Draws draws = apply_rules(packet);
  if (draws.dropped == DropCause::kNone) draw(draws, packet);
  if (draws.dropped != DropCause::kNone) return {.dropped = draws.dropped, .copies = 0};

  const uint64_t size = uint64_t{packet.payload_size} + packet.overhead;
  const uint32_t copies = draws.duplicate ? 2 : 1;
  Fate fate{.copies = 0, .reordered = draws.reorder, .corrupt_bit = draws.corrupt_bit};
  for (uint32_t copy = 0; copy < copies; ++copy) {
    const std::optional<Instant> sent = is_full() ? std::nullopt : send(now, size);
    if (!sent) break;  // the duplicate would find it as full
    last_due_ = std::max(last_due_, later(*sent, draws.delay[copy]));
    const Instant due = later(last_due_, draws.rule_delay);
    Departure departure{.handle = packet.handle, .copy = copy, .due = due};
    if (copy == 0) {
      departure.corrupt_bit = draws.corrupt_bit;
      fate.delay = due - now;
    }
    keep(number + copy, departure, draws.reorder);
    ++fate.copies;
  }
  if (fate.copies == 0) return {.dropped = DropCause::kQueue, .copies = 0};
  if (fate.copies == 2) twins_.insert(number);
  fate.copy_dropped = fate.copies < copies;
  return fate;
}

std::vector<Departure> Link::take_due(Instant now) {
  std::vector<Departure> departures;
  for (std::optional<Instant> next = next_due(); next && *next <= now; next = next_due()) {
    const bool hold_ends = !hold_ends_.empty() &&
                           (under_way_.empty() || *hold_ends_.begin() < under_way_.begin()->first);
    if (hold_ends) {
      const auto [when, number] = *hold_ends_.begin();
      hold_ends_.erase(hold_ends_.begin());
      Departure copy = held_.extract(number).mapped();
      copy.due = when;
      let_go(number, copy, departures);
    } else {
      const auto first = under_way_.extract(under_way_.begin());
      const auto [when, number] = first.key();
      let_go(number, first.mapped(), departures);
      // If this one was held itself, what let it go has let every earlier one go too.
      let_held_go(number, when, departures);
    }
  }
  return departures;
}

std::optional<Instant> Link::next_due() const {
  if (under_way_.empty() && hold_ends_.empty()) return std::nullopt;
  const Instant due = under_way_.empty() ? Instant::max() : under_way_.begin()->first.first;
  const Instant hold_end = hold_ends_.empty() ? Instant::max() : hold_ends_.begin()->first;
  return std::min(due, hold_end);
}

bool Link::empty() const {
  return under_way_.empty() && held_.empty();
}

// Stage 2.
Link::Draws Link::apply_rules(const OfferedPacket& packet) {
  Draws draws;
  for (size_t i = 0; i < config_.rules.size(); ++i) {
    const LinkRule& rule = config_.rules[i];
    if (rule.match && *rule.match != packet.transport) continue;
    const uint64_t nth = ++rule_counts_[i];
    if (!rule.nth.empty() && !rule.nth.contains(nth)) continue;
    switch (rule.action) {
      case LinkRule::Action::kDrop:
        draws.dropped = DropCause::kRule;
        break;
      case LinkRule::Action::kDuplicate:
        draws.duplicate = true;
        break;
      case LinkRule::Action::kCorrupt:
        draws.corrupt = true;
        break;
      case LinkRule::Action::kReorder:
        draws.reorder = true;
        break;
      case LinkRule::Action::kDelay:
        draws.rule_delay = later(Instant{draws.rule_delay}, rule.delay).time_since_epoch();
        break;
    }
  }
  return draws;
}

// What is random in stages 3, 4, 5, 7 and 8, each by a purpose of its own.
void Link::draw(Draws& draws, const OfferedPacket& packet) const {
  const Chance chance(seed_, stable_hash(direction_ + "|" + packet.flow));
  const uint64_t n = packet.ordinal;
  if (chance.happens(config_.loss, n, Purpose::kLoss)) {
    draws.dropped = DropCause::kLoss;
    return;
  }
  draws.duplicate |= chance.happens(config_.duplicate, n, Purpose::kDuplicate);
  draws.corrupt |= chance.happens(config_.corrupt, n, Purpose::kCorrupt);
  draws.reorder |= chance.happens(config_.reorder, n, Purpose::kReorder);
  if (draws.corrupt && packet.payload_size > 0) {
    draws.corrupt_bit = chance.below(uint64_t{packet.payload_size} * 8, n, Purpose::kCorruptBit);
  }
  draws.delay[0] = draw_delay(config_.delay, chance, n, Purpose::kDelay);
  draws.delay[1] = draw_delay(config_.delay, chance, n, Purpose::kDuplicateDelay);
}

std::optional<Instant> Link::send(Instant now, uint64_t size) {
  if (config_.rate == 0) return now;
  while (!sending_.empty() && sending_.front() <= now) sending_.pop_front();
  if (sending_.size() >= config_.queue_packets) return std::nullopt;
  const Instant start = sending_.empty() ? now : sending_.back();
  sending_.push_back(later(start, sending_time(size, config_.rate)));
  return sending_.back();
}

void Link::keep(Number number, const Departure& copy, bool held) {
  if (held) {
    held_.emplace(number, copy);
    hold_ends_.emplace(later(copy.due, kReorderHoldMax), number);
  } else {
    under_way_.emplace(std::pair(copy.due, number), copy);
  }
}

void Link::let_go(Number number, const Departure& copy, std::vector<Departure>& departures) {
  departures.push_back(copy);
  departures.back().last = twins_.erase(number / 2 * 2) == 0;
}

// Stage 8: `passed_by` has been let go at `when`. Held packets offered before it leave right after
// it; those that are not due yet (a rule's delay) need no longer be held when they are.
void Link::let_held_go(Number passed_by, Instant when, std::vector<Departure>& departures) {
  while (!held_.empty() && held_.begin()->first < passed_by) {
    auto first = held_.extract(held_.begin());
    const Number number = first.key();
    Departure& copy = first.mapped();
    hold_ends_.erase({later(copy.due, kReorderHoldMax), number});
    if (copy.due > when) {
      under_way_.emplace(std::pair(copy.due, number), copy);
    } else {
      copy.due = when;
      let_go(number, copy, departures);
    }
  }
}

}  // namespace netrig
