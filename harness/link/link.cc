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
  constexpr uint64_t kBitNanoseconds = uint64_t{8} * 1'000'000'000;
  if (size < uint64_t{1} << 30) {  // 2^63 bit nanoseconds: no need for wide numbers
    const uint64_t narrow = size * kBitNanoseconds;
    return Duration(
        static_cast<int64_t>(narrow / bits_per_second + (narrow % bits_per_second != 0 ? 1 : 0)));
  }
  const Uint128 bit_nanoseconds = static_cast<Uint128>(size) * kBitNanoseconds;
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

uint64_t flow_stream(std::string_view direction, std::string_view flow) {
  return stable_hash(std::string(direction).append("|").append(flow));
}

bool LinkConfig::is_transparent() const {
  return !has_faults() && rules.empty();
}

bool LinkConfig::touches(Transport transport) const {
  return has_faults() || std::ranges::any_of(rules, [&](const LinkRule& rule) {
           return !rule.match || *rule.match == transport;
         });
}

bool LinkConfig::has_faults() const {
  return delay != Range<Duration>{} || loss.ppm != 0 || duplicate.ppm != 0 || corrupt.ppm != 0 ||
         reorder.ppm != 0 || rate != 0 || mtu != 0;
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
  const uint64_t size = uint64_t{packet.payload_size} + packet.overhead;
  if (draws.dropped == DropCause::kNone && config_.mtu != 0 && size > config_.mtu &&
      packet.transport == Transport::kTcp) {
    draws.dropped = DropCause::kMtu;
  }
  if (draws.dropped != DropCause::kNone) return {.dropped = draws.dropped, .copies = 0};

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
    keep(number + copy, departure, draws.reorder, draws.rule_delay == Duration{0});
    ++fate.copies;
  }
  if (fate.copies == 0) return {.dropped = DropCause::kQueue, .copies = 0};
  if (fate.copies == 2) twins_.insert(number);
  fate.copy_dropped = fate.copies < copies;
  return fate;
}

std::vector<Departure> Link::take_due(Instant now) {
  std::vector<Departure> departures;
  take_due(now, departures);
  return departures;
}

void Link::take_due(Instant now, std::vector<Departure>& departures) {
  while (true) {
    const Waiting* first = first_under_way();
    const Instant due = first == nullptr ? Instant::max() : first->copy.due;
    if (!hold_ends_.empty() &&
        (first == nullptr || *hold_ends_.begin() < std::pair(due, first->number))) {
      if (hold_ends_.begin()->first > now) return;
      end_first_hold(departures);
      continue;
    }
    if (first == nullptr || due > now) return;
    const Waiting taken = take_first_under_way();
    let_go(taken.number, taken.copy, departures);
    // If this one was held itself, what let it go has let every earlier one go too.
    if (!held_.empty()) let_held_go(taken.number, due, departures);
  }
}

std::optional<Instant> Link::next_due() const {
  const Waiting* first = first_under_way();
  if (hold_ends_.empty()) return first == nullptr ? std::nullopt : std::optional(first->copy.due);
  const Instant hold_end = hold_ends_.begin()->first;
  return first == nullptr ? hold_end : std::min(first->copy.due, hold_end);
}

bool Link::empty() const {
  return in_order_.empty() && out_of_order_.empty() && held_.empty();
}

// Stage 2.
Link::Draws Link::apply_rules(const OfferedPacket& packet) {
  Draws draws;
  for (size_t i = 0; i < config_.rules.size(); ++i) {
    const LinkRule& rule = config_.rules[i];
    if (!packet.transport || (rule.match && rule.match != packet.transport)) continue;
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
  const Chance chance(seed_, packet.stream);
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

void Link::keep(Number number, const Departure& copy, bool held, bool in_order) {
  if (held) {
    held_.emplace(number, copy);
    hold_ends_.emplace(later(copy.due, kReorderHoldMax), number);
  } else if (in_order) {
    in_order_.push_back({number, copy});
  } else {
    out_of_order_.emplace(std::pair(copy.due, number), Waiting{number, copy});
  }
}

const Link::Waiting* Link::first_under_way() const {
  const Waiting* queued = in_order_.empty() ? nullptr : &in_order_.front();
  if (out_of_order_.empty()) return queued;
  const Waiting* other = &out_of_order_.begin()->second;
  return queued == nullptr || other->key() < queued->key() ? other : queued;
}

Link::Waiting Link::take_first_under_way() {
  const Waiting* first = first_under_way();
  const Waiting taken = *first;
  if (!in_order_.empty() && first == &in_order_.front()) {
    in_order_.pop_front();
  } else {
    out_of_order_.erase(out_of_order_.begin());
  }
  return taken;
}

void Link::let_go(Number number, const Departure& copy, std::vector<Departure>& departures) {
  departures.push_back(copy);
  departures.back().last = twins_.empty() || twins_.erase(number / 2 * 2) == 0;
}

void Link::end_first_hold(std::vector<Departure>& departures) {
  const auto [when, number] = *hold_ends_.begin();
  hold_ends_.erase(hold_ends_.begin());
  Departure copy = held_.extract(number).mapped();
  copy.due = when;
  let_go(number, copy, departures);
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
      keep(number, copy, false, false);
    } else {
      copy.due = when;
      let_go(number, copy, departures);
    }
  }
}

}  // namespace netrig
