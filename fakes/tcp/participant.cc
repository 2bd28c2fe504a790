#include "fakes/tcp/participant.h"

#include <utility>

#include "harness/base/require.h"

namespace netrig::tcp {
namespace {

constexpr size_t kSlotsFirst = 16;

}  // namespace

void TupleTable::place(Participant* participant) {
  size_t i = hash_of(participant->tuple) & mask();
  while (slots_[i] != nullptr) i = (i + 1) & mask();
  slots_[i] = participant;
}

void TupleTable::insert(Participant& participant) {
  if (2 * (count_ + 1) > slots_.size()) {
    const std::vector<Participant*> old = std::exchange(
        slots_, std::vector<Participant*>(slots_.empty() ? kSlotsFirst : 2 * slots_.size()));
    for (Participant* other : old) {
      if (other != nullptr) place(other);
    }
  }
  place(&participant);
  ++count_;
}

void TupleTable::erase(Participant& participant) {
  size_t hole = hash_of(participant.tuple) & mask();
  while (slots_[hole] != &participant) {
    NETRIG_REQUIRE(slots_[hole] != nullptr);
    hole = (hole + 1) & mask();
  }
  // Whoever probed past the hole moves into it.
  for (size_t i = (hole + 1) & mask(); slots_[i] != nullptr; i = (i + 1) & mask()) {
    const size_t home = hash_of(slots_[i]->tuple) & mask();
    if (((i - home) & mask()) >= ((i - hole) & mask())) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = nullptr;
  --count_;
}

void DeadlineHeap::put(size_t index, Participant* participant) {
  heap_[index] = participant;
  participant->heap_index = static_cast<uint32_t>(index);
}

void DeadlineHeap::sift_up(size_t index) {
  Participant* moving = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!before(*moving, *heap_[parent])) break;
    put(index, heap_[parent]);
    index = parent;
  }
  put(index, moving);
}

void DeadlineHeap::sift_down(size_t index) {
  Participant* moving = heap_[index];
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *moving)) break;
    put(index, heap_[child]);
    index = child;
  }
  put(index, moving);
}

void DeadlineHeap::remove(Participant& participant) {
  const size_t index = participant.heap_index;
  participant.heap_index = Participant::kNotInHeap;
  Participant* last = heap_.back();
  heap_.pop_back();
  if (last == &participant) return;
  put(index, last);
  sift_up(index);
  sift_down(last->heap_index);
}

void DeadlineHeap::set(Participant& participant, Instant deadline) {
  if (participant.deadline == deadline) return;
  const bool earlier = deadline < participant.deadline;
  const bool inside = participant.heap_index != Participant::kNotInHeap;
  if (deadline == Instant::max()) {
    if (inside) remove(participant);
    participant.deadline = deadline;
    return;
  }
  participant.deadline = deadline;
  if (!inside) {
    heap_.push_back(&participant);
    sift_up(heap_.size() - 1);
  } else if (earlier) {
    sift_up(participant.heap_index);
  } else {
    sift_down(participant.heap_index);
  }
}

}  // namespace netrig::tcp
