#pragma once
// A message of several parts (Matcher::sequence), judged part by part: what a part keeps is known
// to those after it, and a checksum is that of the octets that came. The caller says where parts
// end: by reading a stream, or by part_size() in a message that is there as a whole.

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/run/matching.h"

namespace netrig {

class SequenceMatch {
 public:
  // All three outlive it.
  SequenceMatch(const std::vector<SequencePart>& parts, Variables& variables, uint64_t seed);

  bool done() const { return next_ == parts_.size(); }
  // What the next part must be, a checksum as the octets that it must have.
  Matcher expected() const;
  // Variables of the run and those that parts before kept.
  Variables& variables() { return overlay_; }
  // How many octets of `rest` the next part takes: all of them if they do not hold its end.
  size_t part_size(ByteView rest);
  // Judges the next part. After a mismatch nothing more may be taken.
  std::optional<Mismatch> take(ByteView octets);

  const Captures& captures() const { return captures_; }

 private:
  class Overlay : public Variables {
   public:
    Overlay(Variables& below, const Captures& captures) : below_(below), captures_(captures) {}
    std::expected<Value, std::string> lookup(const std::string& name) override;

   private:
    Variables& below_;
    const Captures& captures_;
  };

  const std::vector<SequencePart>& parts_;
  uint64_t seed_;
  size_t next_ = 0;
  Bytes octets_;                // of all parts that were taken
  std::vector<size_t> begins_;  // where in them each part begins
  Captures captures_;
  Overlay overlay_;
};

}  // namespace netrig
