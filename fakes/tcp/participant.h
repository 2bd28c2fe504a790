#pragma once
// Whatever holds a pair of endpoints in a stack: a connection, a handshake that a listener is in,
// or a TIME_WAIT. Here are their common parts, and the two indexes over them: by endpoints, in a
// flat hash table whose order nobody sees, and by deadline, in a heap that knows where everybody
// is. A stack owns both.

#include <cstdint>
#include <cstring>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/endpoint.h"

namespace netrig::tcp {

struct FourTuple {
  IpAddress local;
  IpAddress peer;
  uint16_t local_port = 0;
  uint16_t peer_port = 0;
  friend bool operator==(const FourTuple&, const FourTuple&) = default;
};

inline uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

inline uint64_t hash_of(const FourTuple& tuple) {
  uint64_t hash = mix(0, uint64_t{tuple.local_port} << 16 | tuple.peer_port);
  for (const IpAddress* address : {&tuple.local, &tuple.peer}) {
    uint64_t words[2];
    std::memcpy(words, address->octets().data(), sizeof words);
    hash = mix(hash, words[0]);
    if (address->is_v6()) hash = mix(hash, words[1]);
  }
  return hash;
}

struct Participant {
  enum class Kind : uint8_t { kConnection, kHalfOpen, kTimeWait };
  static constexpr uint32_t kNotInHeap = 0xffffffff;

  explicit Participant(Kind k) : kind(k) {}
  virtual ~Participant() = default;
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;

  Kind kind;
  bool listed = false;  // in the table
  FourTuple tuple;
  uint64_t ordinal = 0;  // of creation in its stack: breaks ties of deadlines
  Instant deadline = Instant::max();
  uint32_t heap_index = kNotInHeap;
  // All of a stack in order of creation, and those of one local port.
  Participant* previous = nullptr;
  Participant* next = nullptr;
  Participant* port_previous = nullptr;
  Participant* port_next = nullptr;
};

// By endpoints; linear probing, at most half full.
class TupleTable {
 public:
  Participant* find(const FourTuple& tuple) const {
    if (slots_.empty()) return nullptr;
    for (size_t i = hash_of(tuple) & mask(); slots_[i] != nullptr; i = (i + 1) & mask()) {
      if (slots_[i]->tuple == tuple) return slots_[i];
    }
    return nullptr;
  }
  void insert(Participant& participant);  // its tuple must not be there
  void erase(Participant& participant);   // must be there

 private:
  size_t mask() const { return slots_.size() - 1; }
  void place(Participant* participant);

  std::vector<Participant*> slots_;
  size_t count_ = 0;
};

// The earliest deadline first, then the oldest participant.
class DeadlineHeap {
 public:
  bool empty() const { return heap_.empty(); }
  Participant& first() const { return *heap_.front(); }
  // Instant::max() takes it out.
  void set(Participant& participant, Instant deadline);

 private:
  static bool before(const Participant& a, const Participant& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.ordinal < b.ordinal;
  }
  void put(size_t index, Participant* participant);
  void sift_up(size_t index);
  void sift_down(size_t index);
  void remove(Participant& participant);

  std::vector<Participant*> heap_;
};

}  // namespace netrig::tcp
