#pragma once
// Octets that many holders share and nobody changes: a slice of a counted block, so that payload
// walks from a send buffer through packets to a receive buffer without being copied. One thread
// only. Blocks come from a BytePool, which reuses them; it must outlive every slice.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness/base/bytes.h"

namespace netrig {

class BytePool;

class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(const SharedBytes& other)
      : block_(other.block_), offset_(other.offset_), size_(other.size_) {
    if (block_ != nullptr) ++block_->references;
  }
  SharedBytes(SharedBytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        offset_(std::exchange(other.offset_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  SharedBytes& operator=(const SharedBytes& other) { return *this = SharedBytes(other); }
  SharedBytes& operator=(SharedBytes&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(offset_, other.offset_);
    std::swap(size_, other.size_);
    other.release();
    other.block_ = nullptr;
    other.offset_ = other.size_ = 0;
    return *this;
  }
  ~SharedBytes() { release(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const {
    return block_ == nullptr ? ByteView{} : ByteView(block_->data() + offset_, size_);
  }
  // `offset` + `size` must lie inside.
  SharedBytes slice(size_t offset, size_t size) const;

 private:
  friend class BytePool;
  struct Block {
    BytePool* pool = nullptr;
    uint32_t references = 0;
    uint32_t size_class = 0;  // of the pool; beyond its last: not kept
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  SharedBytes(Block* block, uint32_t offset, uint32_t size)
      : block_(block), offset_(offset), size_(size) {}
  void release() {
    if (block_ != nullptr && --block_->references == 0) free_block();
  }
  void free_block();

  Block* block_ = nullptr;
  uint32_t offset_ = 0;
  uint32_t size_ = 0;
};

class BytePool {
 public:
  BytePool() = default;
  BytePool(const BytePool&) = delete;
  BytePool& operator=(const BytePool&) = delete;
  ~BytePool();

  // At most 4 GiB - 1.
  SharedBytes copy(ByteView octets);
  // Several pieces as one.
  SharedBytes join(const ByteView* pieces, size_t count);
  size_t blocks_in_use() const { return in_use_; }

 private:
  friend class SharedBytes;
  static constexpr size_t kClasses = 4;  // 256, 2 Ki, 16 Ki, 64 Ki octets; larger ones are not kept
  static constexpr size_t kKeptMax = 1024;  // free blocks kept of a class

  SharedBytes::Block* take(size_t size);
  void give_back(SharedBytes::Block* block);

  std::array<std::vector<SharedBytes::Block*>, kClasses> free_;
  size_t in_use_ = 0;
};

}  // namespace netrig
