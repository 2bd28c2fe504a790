#pragma once
// For tests of the sender alone, segment by segment: time and acknowledgements are given by hand.

#include <string>
#include <utility>
#include <vector>

#include "fakes/tcp/sender.h"

namespace netrig::tcp {

inline constexpr uint32_t kMss = 1000;
inline constexpr SeqNum kIss(99);  // the first octet of data is 100

inline SenderConfig small_config() {
  SenderConfig config;
  config.mss = kMss;
  config.buffer_octets = 1 << 20;
  config.handshake_rtt = 20ms;
  return config;
}

// A sender and what it sent; time moves only by at().
class SenderAlone {
 public:
  explicit SenderAlone(const SenderConfig& config = small_config(), uint32_t window = 1 << 20)
      : window_(window), sender(now, kIss, window, SeqNum(0), config, pool) {}

  std::vector<Transmission> sent() {
    std::vector<Transmission> all;
    while (auto out = sender.next(now)) all.push_back(*out);
    return all;
  }
  std::vector<Transmission> write(size_t octets, bool more = false) {
    const std::string data(octets, 'x');
    const ByteView view = data;
    sender.append({&view, 1}, more);
    return sent();
  }
  // `ack` counts octets of data acknowledged; SACK blocks likewise.
  Sender::Outcome ack(uint64_t octets, std::vector<std::pair<uint32_t, uint32_t>> blocks = {},
                      bool ece = false) {
    std::vector<SackBlock> sacks;
    for (const auto& [left, right] : blocks) sacks.push_back({at(left), at(right)});
    Acknowledgement ack;
    ack.ack = at(static_cast<uint32_t>(octets));
    ack.window = window_;
    ack.sacks = sacks;
    ack.ece = ece;
    return sender.acknowledge(now, ack);
  }
  SeqNum at(uint32_t octets) const { return kIss + 1 + octets; }
  void pass(Duration time) { now += time; }
  // To the next deadline, and over it.
  Sender::Expiry wait() {
    now = sender.next_deadline();
    return sender.expire(now);
  }

  BytePool pool;
  Instant now{10s};
  uint32_t window_;
  Sender sender;
};

}  // namespace netrig::tcp
