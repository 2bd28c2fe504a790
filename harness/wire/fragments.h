#pragma once
// Puts the fragments of a datagram together again as one thing to be decided on: a link's faults
// meet a whole datagram, not a part of it, so that the same datagrams are lost as in worlds that
// know no fragments. Nothing is copied into one packet: the fragments stay as they are and go on
// together. Memory is bounded, whatever a program sends.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/wire/wire_packet.h"

namespace netrig {

class FragmentGatherer {
 public:
  // Datagrams of which parts are missing; beyond it the oldest is given up.
  static constexpr size_t kOpenMax = 64;
  // The same for the octets that they take; as Linux's ipfrag_high_thresh.
  static constexpr size_t kMemoryMax = size_t{4} << 20;

  // A whole datagram: its fragments in the order of their offsets, complete IP packets each.
  struct Datagram {
    WirePacket first;           // the first fragment's header
    uint32_t payload_size = 0;  // of the datagram, without its transport header
    std::vector<Bytes> fragments;
  };
  // `octets` is a fragment, as parsed. The datagram, if this was its last missing part. Overlaps
  // and what would be larger than 65535 octets are given up (RFC 5722, RFC 8200 section 4.5).
  std::optional<Datagram> add(const WirePacket& packet, ByteView octets);

  // Datagrams given up so far: never completed, or not well-formed.
  uint64_t given_up() const { return given_up_; }

 private:
  using Key = std::tuple<IpAddress, IpAddress, uint8_t, uint32_t>;
  struct Part {
    WirePacket packet;
    Bytes octets;
  };
  struct Open {
    uint64_t age = 0;
    std::optional<uint32_t> end;  // of what IP cut, known from the last fragment
    uint32_t gathered = 0;
    size_t memory = 0;
    std::map<uint32_t, Part> parts;  // by offset
  };
  using OpenDatagrams = std::map<Key, Open>;
  enum class Fit : uint8_t { kNew, kRepeated, kNever };

  static size_t memory_of(const Part& part);
  // `packet` is well-formed.
  static Fit fit_of(const Open& open, const WirePacket& packet);
  Datagram taken(OpenDatagrams::iterator at);
  void give_up(OpenDatagrams::iterator at);
  void give_up_oldest();

  OpenDatagrams open_;
  uint64_t next_age_ = 0;
  uint64_t given_up_ = 0;
  size_t memory_ = 0;
};

// Flips a bit of the whole datagram's payload in the fragment that holds it; the checksum in the
// first fragment is made to fit (RFC 1624).
void flip_payload_bit(FragmentGatherer::Datagram& datagram, uint64_t bit);

}  // namespace netrig
