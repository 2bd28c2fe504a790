#include "harness/base/shared_bytes.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "harness/base/require.h"

namespace netrig {
namespace {

constexpr std::array<size_t, 4> kSizes = {256, 2048, 16384, 65536};

}  // namespace

SharedBytes SharedBytes::slice(size_t offset, size_t size) const {
  NETRIG_REQUIRE(offset <= size_ && size <= size_ - offset);
  if (size == 0) return {};
  ++block_->references;
  return {block_, offset_ + static_cast<uint32_t>(offset), static_cast<uint32_t>(size)};
}

void SharedBytes::free_block() {
  block_->pool->give_back(block_);
}

BytePool::~BytePool() {
  NETRIG_REQUIRE(in_use_ == 0);
  for (auto& blocks : free_) {
    for (SharedBytes::Block* block : blocks) ::operator delete(block);
  }
}

SharedBytes BytePool::copy(ByteView octets) {
  return join(&octets, 1);
}

SharedBytes BytePool::join(const ByteView* pieces, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) size += pieces[i].size();
  if (size == 0) return {};
  NETRIG_REQUIRE(size <= std::numeric_limits<uint32_t>::max());
  SharedBytes::Block* block = take(size);
  char* end = block->data();
  for (size_t i = 0; i < count; ++i) {
    if (pieces[i].empty()) continue;
    std::memcpy(end, pieces[i].data(), pieces[i].size());
    end += pieces[i].size();
  }
  return {block, 0, static_cast<uint32_t>(size)};
}

SharedBytes::Block* BytePool::take(size_t size) {
  const auto fits = std::find_if(kSizes.begin(), kSizes.end(), [&](size_t s) { return size <= s; });
  const auto size_class = static_cast<size_t>(fits - kSizes.begin());
  SharedBytes::Block* block = nullptr;
  if (size_class < free_.size() && !free_[size_class].empty()) {
    block = free_[size_class].back();
    free_[size_class].pop_back();
  } else {
    const size_t capacity = fits == kSizes.end() ? size : *fits;
    block = new (::operator new(sizeof(SharedBytes::Block) + capacity)) SharedBytes::Block;
    block->pool = this;
    block->size_class = static_cast<uint32_t>(size_class);
  }
  block->references = 1;
  ++in_use_;
  return block;
}

void BytePool::give_back(SharedBytes::Block* block) {
  --in_use_;
  if (block->size_class < free_.size() && free_[block->size_class].size() < kKeptMax) {
    free_[block->size_class].push_back(block);
  } else {
    ::operator delete(block);
  }
}

}  // namespace netrig
