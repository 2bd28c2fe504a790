#pragma once
// For tests of the sender alone: a receiver that does everything right (SACK, an ACK for every
// second segment or after 40 ms, at once when something is missing) behind a link with a rate, a
// queue that drops at its tail, and losses by number or by chance. Owned by a test; virtual time.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fakes/tcp/sender.h"
#include "harness/base/chance.h"

namespace netrig::tcp {

inline SenderConfig bulk_config() {
  SenderConfig config;
  config.mss = 1448;
  config.buffer_octets = 4 << 20;
  return config;
}

struct SimulationOptions {
  SenderConfig sender = bulk_config();
  uint64_t octets = 20'000'000;
  uint64_t rate = 100'000'000;  // bit/s; 0: no limit
  Duration delay = 10ms;        // one way
  size_t queue = 256;
  uint32_t loss_ppm = 0;
  uint64_t seed = 1;
  uint32_t window = 4 << 20;
  std::function<bool(uint64_t ordinal, const Transmission&)> drop;  // ordinal counts from 0
  std::function<Duration(uint64_t ordinal, const Transmission&)> extra_delay;
  Duration limit = 3600s;
};

struct SimulationResult {
  bool finished = false;
  bool content_right = true;
  Duration took{0};
  uint64_t dropped = 0;
  SenderCounters counters;
  double goodput_mbit(uint64_t octets) const {
    return static_cast<double>(octets) * 8e3 / static_cast<double>(took.count());
  }
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options), chance_(options.seed, stable_hash("sender_test")) {
    options_.sender.handshake_rtt = options.delay * 2;
    sender_.emplace(now_, SeqNum(kIss), options.window, SeqNum(0), options_.sender, pool_);
  }

  Sender& sender() { return *sender_; }

  SimulationResult run() {
    SimulationResult result;
    const Instant start = now_;
    fill();
    while (!sender_->all_acknowledged() || left() > 0) {
      const Instant next = next_event();
      if (next == Instant::max() || next - start > options_.limit) break;
      now_ = std::max(now_, next);
      if (step() == Sender::Expiry::kGiveUp) break;
      fill();
    }
    result.finished = sender_->all_acknowledged() && left() == 0;
    result.content_right = content_right_ && received_ == options_.octets + 1;
    result.took = now_ - start;
    result.dropped = dropped_;
    result.counters = sender_->counters();
    return result;
  }

 private:
  static constexpr uint32_t kIss = 0xfffff000;  // wraps soon
  struct Arrival {
    Instant at;
    uint64_t left, right;
    uint32_t sent_ms;
    bool right_content;
  };
  struct Ack {
    Instant at;
    Acknowledgement ack;
    std::array<SackBlock, 4> sacks;
    size_t count;
  };

  uint64_t left() const { return options_.octets - written_; }

  // What is written repeats after a prime number of octets, so that a shift would be seen.
  static constexpr size_t kPeriod = 4093;
  static std::string make_pattern() {
    std::string pattern(16384 + kPeriod, '\0');
    for (size_t i = 0; i < pattern.size(); ++i) {
      pattern[i] = static_cast<char>((i % kPeriod) * 31 + ((i % kPeriod) >> 8));
    }
    return pattern;
  }
  ByteView expected(uint64_t offset, size_t size) const {
    return ByteView(pattern_).substr(offset % kPeriod, size);
  }

  void fill() {
    while (left() > 0 && sender_->memory() < sender_->buffer()) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(left(), 16384));
      const ByteView view = expected(written_, size);
      written_ += sender_->append({&view, 1}, false);
      pump();
    }
    pump();
  }

  void pump() {
    while (auto out = sender_->next(now_)) transmit(*out);
  }

  void transmit(const Transmission& out) {
    const uint64_t ordinal = sent_++;
    while (!queue_.empty() && queue_.front() <= now_) queue_.pop_front();
    const bool lost = (options_.drop && options_.drop(ordinal, out)) ||
                      chance_.happens(Probability{options_.loss_ppm}, ordinal, Purpose::kLoss);
    if (lost || queue_.size() >= options_.queue) {
      ++dropped_;
      return;
    }
    if (options_.rate > 0) {
      const Duration serial(
          static_cast<int64_t>((out.payload.size() + 52) * 8'000'000'000 / options_.rate));
      link_free_ = std::max(link_free_, now_) + serial;
      queue_.push_back(link_free_);
    } else {
      link_free_ = now_;
    }
    const uint64_t at = sender_->relative(out.seq);
    const ByteView view = out.payload.view();
    const bool same = view == expected(at - 1, view.size());
    const Duration extra = options_.extra_delay ? options_.extra_delay(ordinal, out) : Duration(0);
    const Arrival arrival{link_free_ + options_.delay + extra, at, at + view.size(), ms(), same};
    auto place = arrivals_.end();
    while (place != arrivals_.begin() && (place - 1)->at > arrival.at) --place;
    arrivals_.insert(place, arrival);
  }

  uint32_t ms() const { return static_cast<uint32_t>(now_.time_since_epoch() / Duration(1ms)); }

  Instant next_event() const {
    Instant next = std::min(sender_->next_deadline(), delayed_ack_);
    if (!arrivals_.empty()) next = std::min(next, arrivals_.front().at);
    if (!acks_.empty()) next = std::min(next, acks_.front().at);
    return next;
  }

  Sender::Expiry step() {
    if (!arrivals_.empty() && arrivals_.front().at <= now_) {
      const Arrival arrival = arrivals_.front();
      arrivals_.pop_front();
      receive(arrival);
    } else if (!acks_.empty() && acks_.front().at <= now_) {
      Ack ack = acks_.front();
      acks_.pop_front();
      ack.ack.sacks = std::span<const SackBlock>(ack.sacks.data(), ack.count);
      sender_->acknowledge(now_, ack.ack);
    } else if (delayed_ack_ <= now_) {
      send_ack(std::nullopt);
    } else {
      return sender_->expire(now_);
    }
    return Sender::Expiry::kContinue;
  }

  void receive(const Arrival& in) {
    content_right_ &= in.right_content;
    if (in.left <= received_ && in.left <= last_acked_) ts_recent_ = in.sent_ms;
    if (in.right <= received_) {
      send_ack(PositionPair{in.left, in.right});
      return;
    }
    const auto known = holes_.upper_bound(in.left);
    if (known != holes_.begin() && std::prev(known)->second >= in.right) {
      send_ack(PositionPair{in.left, in.right});
      return;
    }
    const bool had_holes = !holes_.empty();
    merge(in.left, in.right);
    const bool at_once = had_holes || in.left > received_;
    while (!holes_.empty() && holes_.begin()->first <= received_) {
      received_ = std::max(received_, holes_.begin()->second);
      recent_.erase(std::remove(recent_.begin(), recent_.end(), holes_.begin()->first),
                    recent_.end());
      holes_.erase(holes_.begin());
    }
    if (at_once || ++unacked_ >= 2) {
      send_ack(std::nullopt);
    } else if (delayed_ack_ == Instant::max()) {
      delayed_ack_ = now_ + 40ms;
    }
  }

  struct PositionPair {
    uint64_t left, right;
  };

  void merge(uint64_t left, uint64_t right) {
    auto it = holes_.upper_bound(left);
    if (it != holes_.begin() && std::prev(it)->second >= left) --it;
    while (it != holes_.end() && it->first <= right) {
      left = std::min(left, it->first);
      right = std::max(right, it->second);
      recent_.erase(std::remove(recent_.begin(), recent_.end(), it->first), recent_.end());
      it = holes_.erase(it);
    }
    holes_[left] = right;
    recent_.insert(recent_.begin(), left);
  }

  void send_ack(std::optional<PositionPair> duplicate) {
    Ack ack{};
    ack.at = now_ + options_.delay;
    const auto seq = [](uint64_t at) { return SeqNum(kIss) + static_cast<uint32_t>(at); };
    ack.ack.ack = seq(received_);
    ack.ack.window = options_.window;
    ack.ack.ts_echo = ts_recent_;
    if (options_.sender.sack) {
      if (duplicate) ack.sacks[ack.count++] = {seq(duplicate->left), seq(duplicate->right)};
      for (const uint64_t first : recent_) {
        if (ack.count == 3) break;  // as many as fit beside timestamps
        ack.sacks[ack.count++] = {seq(first), seq(holes_.at(first))};
      }
    }
    last_acked_ = received_;
    unacked_ = 0;
    delayed_ack_ = Instant::max();
    acks_.push_back(ack);
  }

  SimulationOptions options_;
  Chance chance_;
  const std::string pattern_ = make_pattern();
  BytePool pool_;
  Instant now_{1s};
  std::optional<Sender> sender_;
  uint64_t written_ = 0, sent_ = 0, dropped_ = 0;
  Instant link_free_{0s};
  std::deque<Instant> queue_;
  std::deque<Arrival> arrivals_;
  std::deque<Ack> acks_;
  bool content_right_ = true;
  uint64_t received_ = 1, last_acked_ = 1;
  uint32_t ts_recent_ = 0;
  std::map<uint64_t, uint64_t> holes_;
  std::vector<uint64_t> recent_;  // left edges, the last changed first
  int unacked_ = 0;
  Instant delayed_ack_ = Instant::max();
};

}  // namespace netrig::tcp
