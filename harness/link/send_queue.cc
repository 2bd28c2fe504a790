#include "harness/link/send_queue.h"

#include <algorithm>

#include "harness/link/sending_time.h"

namespace netrig {
SendQueue::Answer SendQueue::send(const LinkConfig& config, Instant now, uint64_t size,
                                  bool markable) {
  while (!waiting_.empty() && waiting_.front().leaves <= now) {
    octets_ -= waiting_.front().size;
    waiting_.pop_front();
  }
  const Instant begin = trace_ ? trace_->begin(std::max(now, trace_from_)) : std::max(now, free_);
  if (!has_room(config, now, begin, size)) return {.dropped = DropCause::kQueue};
  Answer answer;
  if (config.codel) {
    const uint64_t found = waiting_.empty() ? 0 : octets_ - waiting_.front().size;
    const Codel::Verdict verdict = codel_.judge(*config.codel, now, begin, found, markable);
    if (verdict == Codel::Verdict::kDrop) answer.dropped = DropCause::kCodel;
    answer.marked = verdict == Codel::Verdict::kMark;
  }
  octets_ += size;
  if (answer.dropped != DropCause::kNone) {
    waiting_.push_back({begin, size});  // it has its place until its turn comes
    return answer;
  }
  const bool plain = config.overhead == PacketOverhead{};
  const uint64_t counted = plain ? size : counted_octets(config.overhead, size);
  free_ = trace_ ? trace_->take(counted) : later(begin, sending_time(counted, config.rate));
  waiting_.push_back({free_, size});
  answer.sent = free_;
  return answer;
}

bool SendQueue::has_room(const LinkConfig& config, Instant now, Instant begin,
                         uint64_t size) const {
  if (config.queue_packets != 0 && waiting_.size() >= config.queue_packets) return false;
  if (config.queue_octets != 0 && octets_ + size > config.queue_octets) return false;
  return config.queue_time == Duration{0} || begin - now <= config.queue_time;
}

void SendQueue::change(const LinkConfig& config) {
  if (config.trace.get() == followed_) return;
  followed_ = config.trace.get();
  trace_.reset();
  if (config.trace) trace_.emplace(*config.trace);
  trace_from_ = free_;
}

}  // namespace netrig
