#include "harness/link/link.h"

#include <algorithm>

#include "harness/base/require.h"
#include "harness/link/sending_time.h"

namespace netrig {

uint64_t flow_stream(std::string_view direction, std::string_view flow) {
  return stable_hash(std::string(direction).append("|").append(flow));
}

// What stages 2 to 6, 8 and 9 want of one packet, before stage 7 may refuse a copy.
struct Link::Draws {
  DropCause dropped = DropCause::kNone;
  bool duplicate = false;
  bool corrupt = false;
  bool reorder = false;
  bool mark = false;
  BitPosition corrupt_bit;
  Duration rule_delay{0};
  Duration delay[2] = {};  // of the original, of the duplicate
};

Link::Link(uint64_t seed, std::string direction, LinkConfig config)
    : seed_(seed), direction_(std::move(direction)), config_(std::move(config)) {
  for (const LinkRule& rule : config_.rules) NETRIG_REQUIRE(rule.delay >= Duration{0});
  if (!config_.changes.empty()) next_change_ = Instant{config_.changes.front().at};
  prepare();
}

void Link::prepare() {
  NETRIG_REQUIRE(config_.delay.low >= Duration{0} && config_.delay.low <= config_.delay.high);
  remembers_ = config_.has_memory();
  paced_ = config_.is_paced();
  queue_.change(config_);
  delays_.reset();
  if (config_.distribution) delays_.emplace(*config_.distribution);
}

void Link::change(Instant now) {
  const std::vector<LinkChange>& changes = config_.changes;
  std::shared_ptr<const LinkConfig> parameters;
  for (; changes_made_ < changes.size(); ++changes_made_) {
    const LinkChange& next = changes[changes_made_];
    if (Instant{next.at} > now) break;
    cut_ = next.cut.value_or(cut_);
    if (next.parameters) parameters = next.parameters;
  }
  next_change_ =
      changes_made_ < changes.size() ? Instant{changes[changes_made_].at} : Instant::max();
  if (!parameters) return;
  LinkConfig changed = *parameters;
  changed.rules = std::move(config_.rules);
  changed.changes = std::move(config_.changes);
  config_ = std::move(changed);
  prepare();
}

Fate Link::offer(Instant now, const OfferedPacket& packet) {
  if (now >= next_change_) change(now);
  const Number number = next_packet_++ * 2;
  Draws draws;
  if (!config_.rules.empty()) apply_rules(draws, packet);
  if (cut_ && draws.dropped == DropCause::kNone) draws.dropped = DropCause::kPartition;
  if (remembers_) {
    draw_with_memory(draws, packet);
  } else if (draws.dropped == DropCause::kNone) {
    draw(draws, packet);
  }
  const uint64_t size = uint64_t{packet.payload_size} + packet.overhead;
  if (draws.dropped == DropCause::kNone && config_.mtu != 0 && size > config_.mtu &&
      packet.transport == Transport::kTcp) {
    draws.dropped = DropCause::kMtu;
  }
  if (draws.dropped != DropCause::kNone) return {.dropped = draws.dropped, .copies = 0};
  return send_copies(now, packet, draws, number);
}

// Stages 7 to 9.
Fate Link::send_copies(Instant now, const OfferedPacket& packet, const Draws& draws,
                       Number number) {
  const uint64_t size = uint64_t{packet.payload_size} + packet.overhead;
  const uint32_t copies = draws.duplicate ? 2 : 1;
  const bool early = draws.reorder && config_.reorder_early;
  const bool held = draws.reorder && !early;
  Fate fate{.copies = 0, .reordered = draws.reorder};
  for (uint32_t copy = 0; copy < copies; ++copy) {
    SendQueue::Answer sending{.sent = now};
    if (is_full()) {
      sending.dropped = DropCause::kQueue;
    } else if (paced_) {
      sending = queue_.send(config_, now, size, packet.ecn_capable);
    }
    if (sending.dropped != DropCause::kNone) {
      fate.copy_cause = sending.dropped;
      continue;
    }
    if (!early) last_due_ = std::max(last_due_, later(sending.sent, draws.delay[copy]));
    const Instant due = later(early ? sending.sent : last_due_, draws.rule_delay);
    Departure departure{.handle = packet.handle,
                        .copy = copy,
                        .mark = packet.ecn_capable && (sending.marked || draws.mark),
                        .due = due};
    if (copy == 0) departure.corrupt_bit = fate.corrupt_bit = draws.corrupt_bit;
    if (fate.copies == 0) {
      fate.delay = due - now;
      fate.marked = departure.mark;
    }
    keep(number + copy, departure, held, !early && draws.rule_delay == Duration{0});
    ++fate.copies;
  }
  if (fate.copies == 0) return {.dropped = fate.copy_cause, .copies = 0};
  if (fate.copies == 2) twins_.insert(number);
  fate.copy_dropped = fate.copies < copies;
  if (!fate.copy_dropped) fate.copy_cause = DropCause::kQueue;
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

void Link::apply_rules(Draws& draws, const OfferedPacket& packet) {
  const RuleOutcome outcome = rules_.apply(config_.rules, packet);
  if (outcome.drop) draws.dropped = DropCause::kRule;
  draws.duplicate = outcome.duplicate;
  draws.corrupt = outcome.corrupt;
  draws.reorder = outcome.reorder;
  draws.mark = outcome.mark;
  draws.rule_delay = outcome.delay;
}

// What is random in stages 4, 5, 6, 8 and 9, each by a purpose of its own.
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
  if (draws.corrupt) draw_corrupt_bit(draws, packet, chance);
  draws.delay[0] = draw_delay(chance, n, Purpose::kDelay);
  if (draws.duplicate) draws.delay[1] = draw_delay(chance, n, Purpose::kDuplicateDelay);
}

Duration Link::draw_delay(const Chance& chance, uint64_t ordinal, Purpose purpose) const {
  if (delays_) return delays_->draw(chance, ordinal, purpose);
  const Range<Duration>& range = config_.delay;
  if (range.low == range.high) return range.low;
  const uint64_t values = static_cast<uint64_t>((range.high - range.low).count()) + 1;
  return range.low + Duration(static_cast<int64_t>(chance.below(values, ordinal, purpose)));
}

// The same where the flow's packets before have a say. All is drawn whatever becomes of the packet.
void Link::draw_with_memory(Draws& draws, const OfferedPacket& packet) {
  const Chance chance(seed_, packet.stream);
  const uint64_t n = packet.ordinal;
  FlowMemory& memory = memory_[packet.stream];
  const RandomFaults faults = draw_faults(config_, chance, n, memory);
  if (faults.lost && draws.dropped == DropCause::kNone) draws.dropped = DropCause::kLoss;
  draws.duplicate |= faults.duplicate;
  draws.corrupt |= faults.corrupt;
  draws.reorder |= faults.reorder;
  if (draws.corrupt) draw_corrupt_bit(draws, packet, chance);
  for (const uint32_t copy : {1u, 0u}) {
    const Purpose purpose = copy == 0 ? Purpose::kDelay : Purpose::kDuplicateDelay;
    if (!delays_ || !delays_->is_correlated()) {
      draws.delay[copy] = draw_delay(chance, n, purpose);
    } else {
      const int64_t place = delays_->draw_place(chance, n, purpose, memory);
      draws.delay[copy] = delays_->delay_at(place);
      if (copy == 1) continue;
      memory.place = place;
      memory.has_place = true;
    }
  }
}

void Link::draw_corrupt_bit(Draws& draws, const OfferedPacket& packet, const Chance& chance) const {
  if (packet.payload_size == 0) return;
  draws.corrupt_bit =
      chance.below(uint64_t{packet.payload_size} * 8, packet.ordinal, Purpose::kCorruptBit);
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

// Stage 9: `passed_by` has been let go at `when`. Held packets offered before it leave right after
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
