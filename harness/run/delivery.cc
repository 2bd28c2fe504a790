#include "harness/run/delivery.h"

#include <algorithm>

namespace netrig {

namespace {

struct Datagram {
  uint64_t arrivals = 0;
  bool corrupted = false;
};

// A datagram's name within its direction.
using Key = std::pair<std::string, uint64_t>;  // flow, ordinal

// What is known of a direction while the journal is read.
struct Direction {
  DeliveryStatistics statistics;
  std::vector<Datagram> datagrams;  // in order of sending
  std::map<Key, size_t> positions;  // into datagrams
  std::vector<const ArrivalRecord*> arrivals;
};

class Directions {
 public:
  Direction& named(const std::string& name) {
    const auto [found, is_new] = positions_.try_emplace(name, directions_.size());
    if (is_new) {
      directions_.emplace_back();
      directions_.back().statistics.direction = name;
    }
    return directions_[found->second];
  }
  std::vector<Direction>& all() { return directions_; }

 private:
  std::vector<Direction> directions_;  // in order of the first datagram
  std::map<std::string, size_t> positions_;
};

void count_arrivals(Direction& direction) {
  // Datagrams that nobody read are journalled at the end of the run, though they came earlier.
  std::ranges::stable_sort(direction.arrivals, {}, &ArrivalRecord::arrived_at);
  std::map<std::string, uint64_t> highest;  // ordinal that has arrived, per flow
  for (const ArrivalRecord* arrival : direction.arrivals) {
    const auto found = direction.positions.find({arrival->packet.flow, arrival->packet.ordinal});
    if (found == direction.positions.end()) continue;  // not offered to a link in this run
    Datagram& datagram = direction.datagrams[found->second];
    datagram.corrupted |= arrival->corrupted;
    if (++datagram.arrivals > 1) continue;
    direction.statistics.latencies.push_back(arrival->arrived_at - arrival->sent_at);
    // RFC 4737 section 3.3: reordered if below NextExp, which is one more than the highest so far.
    uint64_t& top = highest[arrival->packet.flow];
    if (arrival->packet.ordinal < top) ++direction.statistics.reordered;
    top = std::max(top, arrival->packet.ordinal);
  }
  std::ranges::sort(direction.statistics.latencies);
}

void count_datagrams(Direction& direction) {
  DeliveryStatistics& statistics = direction.statistics;
  statistics.sent = direction.datagrams.size();
  uint64_t loss_run = 0, position = 0;
  for (const Datagram& datagram : direction.datagrams) {
    ++position;
    if (datagram.arrivals > 1) ++statistics.duplicated;
    if (datagram.corrupted) ++statistics.corrupted;
    if (datagram.arrivals > 0) {
      ++statistics.delivered;
      loss_run = 0;
    } else {
      statistics.lost_ordinals.push_back(position);
      statistics.longest_loss_run = std::max(statistics.longest_loss_run, ++loss_run);
    }
  }
  statistics.lost = statistics.lost_ordinals.size();
}

}  // namespace

std::vector<DeliveryStatistics> delivery_statistics(const Journal& journal) {
  Directions directions;
  for (const Event& event : journal.events()) {
    if (const auto* fate = std::get_if<FateRecord>(&event.what)) {
      if (!fate->packet.is_datagram()) continue;
      Direction& direction = directions.named(fate->packet.direction);
      direction.positions.try_emplace({fate->packet.flow, fate->packet.ordinal},
                                      direction.datagrams.size());
      direction.datagrams.emplace_back();
    } else if (const auto* arrival = std::get_if<ArrivalRecord>(&event.what)) {
      directions.named(arrival->packet.direction).arrivals.push_back(arrival);
    }
  }
  std::vector<DeliveryStatistics> result;
  for (Direction& direction : directions.all()) {
    count_arrivals(direction);
    count_datagrams(direction);
    result.push_back(std::move(direction.statistics));
  }
  return result;
}

std::map<std::string, Duration> latency_quantiles(const std::vector<Duration>& ascending) {
  if (ascending.empty()) return {};
  const size_t count = ascending.size();
  const auto percentile = [&](size_t percent) {
    // ceil(count * percent / 100), without the product overflowing.
    const size_t rank = count / 100 * percent + (count % 100 * percent + 99) / 100;
    return ascending[rank - 1];
  };
  return {{"min", ascending.front()},
          {"p50", percentile(50)},
          {"p90", percentile(90)},
          {"p99", percentile(99)},
          {"max", ascending.back()}};
}

}  // namespace netrig
