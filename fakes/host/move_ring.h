#pragma once
// A queue whose places are used over and over, for entries that are only moved: no allocation but
// to grow. For receive queues of sockets.

#include <cstddef>
#include <utility>
#include <vector>

namespace netrig {

template <typename T>
class MoveRing {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // There must be one.
  T& front() { return places_[first_]; }
  const T& front() const { return places_[first_]; }
  void push_back(T&& value) {
    if (size_ == places_.size()) grow();
    places_[(first_ + size_++) & (places_.size() - 1)] = std::move(value);
  }
  T pop_front() {
    T value = std::move(places_[first_]);
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
    return value;
  }

 private:
  // The number of places is a power of two.
  void grow() {
    std::vector<T> wider(places_.empty() ? 2 : places_.size() * 2);
    for (size_t i = 0; i < size_; ++i) {
      wider[i] = std::move(places_[(first_ + i) & (places_.size() - 1)]);
    }
    places_ = std::move(wider);
    first_ = 0;
  }

  std::vector<T> places_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace netrig
