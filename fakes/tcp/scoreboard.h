#pragma once
// The segments in flight, each with what is known of it: SACKed, lost, sent again (RFC 6675's
// scoreboard, with Linux's marks and counts). It finds no losses and sends nothing: rack.h and
// recovery.h decide, this remembers. Positions are octets of sequence space since the ISS, not
// wrapped.

#include <cstdint>

#include "harness/base/ring.h"
#include "harness/base/shared_bytes.h"
#include "harness/base/time.h"

namespace netrig::tcp {

struct SentSegment {
  static constexpr uint8_t kSacked = 1;
  static constexpr uint8_t kLost = 2;
  static constexpr uint8_t kRetransmitted = 4;      // and that copy counts as in flight
  static constexpr uint8_t kEverRetransmitted = 8;  // Karn: its round trip is ambiguous

  uint64_t start = 0;
  Instant sent_at;  // last time
  SharedBytes payload;
  uint64_t previous = 0;  // ids, in the order of sending; 0: none
  uint64_t next = 0;
  uint32_t times_sent = 0;
  uint8_t marks = 0;
  bool fin = false;
  bool push = false;
  bool ordered = false;  // in the list of previous and next

  bool is(uint8_t mark) const { return (marks & mark) != 0; }
  uint32_t length() const { return static_cast<uint32_t>(payload.size()) + (fin ? 1 : 0); }
  uint64_t end() const { return start + length(); }
};

class Scoreboard {
 public:
  // Ids count up from 1 in the order of positions, for ever.
  uint64_t first_id() const { return first_id_; }
  uint64_t end_id() const { return first_id_ + segments_.size(); }
  bool empty() const { return segments_.empty(); }
  SentSegment& at(uint64_t id) { return segments_[id - first_id_]; }
  const SentSegment& at(uint64_t id) const { return segments_[id - first_id_]; }
  const SentSegment& head() const { return segments_.front(); }
  const SentSegment& tail() const { return segments_.back(); }
  // The first segment that ends after `position`; end_id() if none.
  uint64_t find(uint64_t position) const;

  // RFC 6675's pipe, by count: Linux's tcp_packets_in_flight.
  uint32_t packets_out() const { return static_cast<uint32_t>(segments_.size()); }
  uint32_t sacked_out() const { return sacked_out_; }
  uint32_t lost_out() const { return lost_out_; }
  uint32_t retransmitted_out() const { return retransmitted_out_; }
  uint32_t lost_waiting() const { return lost_waiting_; }  // lost and not sent again since
  uint32_t in_flight() const {
    const uint32_t left = sacked_out_ + lost_out_;
    const uint32_t all = packets_out() + retransmitted_out_;
    return all > left ? all - left : 0;
  }
  uint64_t lost_ever() const { return lost_ever_; }
  // End of the highest SACKed segment; only means something if sacked_out() > 0.
  uint64_t highest_sacked() const { return highest_sacked_; }

  // In the order of their last sending; 0: none. Segments that are SACKed or lost and not sent
  // again are not in it.
  uint64_t oldest() const { return oldest_; }

  void push(SentSegment&& segment);
  void pop_head();
  // Octets that were acknowledged go from the head; `position` is inside it.
  void trim_head(uint64_t position);
  void mark_sacked(uint64_t id);
  void mark_lost(uint64_t id);  // a lost retransmission too
  void mark_retransmitted(uint64_t id, Instant now);
  // A probe was sent (TLP): its copy does not count as in flight (Linux's __tcp_retransmit_skb).
  void mark_probed(uint64_t id, Instant now);
  // RFC 2883: the copy arrived besides the original.
  void forget_retransmission(uint64_t id);
  void forget_losses();
  void forget_sacks();  // RFC 2018 section 8: the receiver reneged
  // The first segment lost and not sent again; lost_waiting() must not be 0.
  uint64_t next_lost();
  // A segment longer than `size` octets becomes two; the second keeps FIN and PSH.
  void split(uint64_t id, uint32_t size);

  // Without SACK, duplicate ACKs stand for SACKed segments (Linux's tcp_add_reno_sack).
  void set_emulated_sacks(uint32_t count) { sacked_out_ = count; }

 private:
  void link_last(uint64_t id);
  void unlink(uint64_t id);

  Ring<SentSegment> segments_;
  uint64_t first_id_ = 1;
  uint64_t oldest_ = 0;
  uint64_t newest_ = 0;
  uint64_t lost_hint_ = 0;  // no segment before it is lost and waiting
  uint64_t highest_sacked_ = 0;
  uint64_t lost_ever_ = 0;
  uint32_t sacked_out_ = 0;
  uint32_t lost_out_ = 0;
  uint32_t retransmitted_out_ = 0;
  uint32_t lost_waiting_ = 0;
};

}  // namespace netrig::tcp
