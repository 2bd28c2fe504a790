#pragma once
// A queue in one block of memory: push at the back, take from the front, index by position from the
// front. It grows by doubling and never shrinks, so a steady flow allocates nothing (std::deque
// frees and allocates a node every few elements). Whoever holds one owns its elements.

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace netrig {

// T must be default-constructible and movable.
template <typename T>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&& other) noexcept {
    Ring taken(std::move(other));
    swap(taken);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // What is asked for must be there.
  T& operator[](size_t index) { return places_[(first_ + index) & (capacity_ - 1)]; }
  const T& operator[](size_t index) const { return places_[(first_ + index) & (capacity_ - 1)]; }
  T& front() { return places_[first_]; }
  const T& front() const { return places_[first_]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T value) { place_at_back() = std::move(value); }
  // The same without a second move: the place, to be assigned to. It holds what was there before,
  // in whatever state it was left.
  T& place_at_back() {
    if (size_ == capacity_) grow();
    ++size_;
    return back();
  }
  // What the element held is let go at once.
  void pop_front() {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      std::destroy_at(&front());
      std::construct_at(&front());
    }
    step();
  }
  T take_front() {
    T value = std::move(front());
    step();
    return value;
  }
  // Moves everything from `index` on by one; rare and linear.
  void insert(size_t index, T value) {
    place_at_back();
    for (size_t i = size_ - 1; i > index; --i) (*this)[i] = std::move((*this)[i - 1]);
    (*this)[index] = std::move(value);
  }
  void clear() {
    while (!empty()) pop_front();
  }

 private:
  static constexpr size_t kPlacesFirst = sizeof(T) > 32 ? 2 : 4;  // most never hold more

  void step() {
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
  }
  void grow() {
    const size_t capacity = capacity_ == 0 ? kPlacesFirst : capacity_ * 2;
    auto places = std::make_unique<T[]>(capacity);
    for (size_t i = 0; i < size_; ++i) places[i] = std::move((*this)[i]);
    places_ = std::move(places);
    capacity_ = capacity;
    first_ = 0;
  }
  void swap(Ring& other) noexcept {
    std::swap(places_, other.places_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<T[]> places_;
  size_t capacity_ = 0;  // a power of two
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace netrig
