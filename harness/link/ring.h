#pragma once
// A queue in one block of memory that is used over and over: no allocation but to grow, which a
// std::deque does every few entries. It belongs to the link; it is no general container.

#include <cstddef>
#include <utility>
#include <vector>

namespace netrig {

template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // There must be one.
  const T& front() const { return places_[first_]; }
  const T& back() const { return places_[(first_ + size_ - 1) & (places_.size() - 1)]; }
  void pop_front() {
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
  }
  void push_back(const T& value) {
    if (size_ == places_.size()) grow();
    places_[(first_ + size_++) & (places_.size() - 1)] = value;
  }

 private:
  static constexpr size_t kPlacesFirst = 16;

  // The number of places is a power of two.
  void grow() {
    std::vector<T> wider(places_.empty() ? kPlacesFirst : places_.size() * 2);
    for (size_t i = 0; i < size_; ++i) {
      wider[i] = places_[(first_ + i) & (places_.size() - 1)];
    }
    places_ = std::move(wider);
    first_ = 0;
  }

  std::vector<T> places_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace netrig
