#pragma once
// A queue in one block of memory: push at the back, pop at the front, index by position from the
// front. It grows by doubling and never shrinks, so a steady flow allocates nothing (std::deque
// frees and allocates a node every few elements). Owned by one connection.

#include <cstddef>
#include <memory>
#include <utility>

namespace netrig::tcp {

template <typename T>
class Ring {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t index) { return slots_[(front_ + index) & (capacity_ - 1)]; }
  const T& operator[](size_t index) const { return slots_[(front_ + index) & (capacity_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) grow();
    ++size_;
    back() = std::move(value);
  }
  void pop_front() {
    front() = T();
    front_ = (front_ + 1) & (capacity_ - 1);
    --size_;
  }
  // Moves everything from `index` on by one; rare and linear.
  void insert(size_t index, T value) {
    push_back(T());
    for (size_t i = size_ - 1; i > index; --i) (*this)[i] = std::move((*this)[i - 1]);
    (*this)[index] = std::move(value);
  }
  void clear() {
    while (!empty()) pop_front();
  }

 private:
  void grow() {
    const size_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
    auto slots = std::make_unique<T[]>(capacity);
    for (size_t i = 0; i < size_; ++i) slots[i] = std::move((*this)[i]);
    slots_ = std::move(slots);
    capacity_ = capacity;
    front_ = 0;
  }

  std::unique_ptr<T[]> slots_;
  size_t capacity_ = 0;  // a power of two
  size_t front_ = 0;
  size_t size_ = 0;
};

}  // namespace netrig::tcp
