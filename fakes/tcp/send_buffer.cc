#include "fakes/tcp/send_buffer.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig::tcp {
namespace {

constexpr size_t kDirectMin = 1024;      // a write this long becomes chunks at once
constexpr size_t kTailMax = 16 * 1024;   // what small writes gather to
constexpr size_t kChunkMax = 64 * 1024;  // BytePool's largest class

constexpr size_t kCacheLine = 64;

// What a large buffer holds was written long ago: the next segment comes from far away in memory
// unless it is asked for before it is hashed and captured.
void fetch(ByteView octets) {
  for (size_t i = 0; i < octets.size(); i += kCacheLine) __builtin_prefetch(octets.data() + i);
}

}  // namespace

void SendBuffer::append(ByteView octets, size_t segment) {
  size_ += octets.size();
  const size_t whole = std::max<size_t>(kChunkMax / segment, 1) * segment;
  const size_t chunk = std::min(whole, kChunkMax);
  while (!octets.empty()) {
    if (octets.size() >= kDirectMin) {
      seal_tail();
      const ByteView piece = octets.substr(0, chunk);
      chunks_.push_back(pool_.copy(piece));
      chunk_octets_ += piece.size();
      octets.remove_prefix(piece.size());
      continue;
    }
    const size_t count = std::min(octets.size(), kTailMax - tail_.size());
    tail_.append(octets.substr(0, count));
    octets.remove_prefix(count);
    if (tail_.size() == kTailMax) seal_tail();
  }
}

void SendBuffer::seal_tail() {
  if (tail_.empty()) return;
  chunks_.push_back(pool_.copy(tail_));
  chunk_octets_ += tail_.size();
  tail_.clear();
}

SharedBytes SendBuffer::take(size_t count) {
  NETRIG_REQUIRE(count <= size_);
  if (count == 0) return {};
  if (chunk_octets_ < count) seal_tail();
  size_ -= count;
  chunk_octets_ -= count;
  const size_t in_front = chunks_.front().size() - front_used_;
  if (count < in_front) {
    SharedBytes slice = chunks_.front().slice(front_used_, count);
    front_used_ += count;
    fetch(chunks_.front().view().substr(front_used_, count));
    return slice;
  }
  if (count == in_front) {
    SharedBytes slice = chunks_.front().slice(front_used_, count);
    chunks_.pop_front();
    front_used_ = 0;
    return slice;
  }
  // The segment straddles chunks: its octets are joined, and the chunks let go afterwards.
  pieces_.clear();
  size_t missing = count;
  size_t used = front_used_;
  size_t whole_chunks = 0;
  while (missing > 0) {
    const ByteView rest = chunks_[whole_chunks].view().substr(used);
    const ByteView piece = rest.substr(0, missing);
    pieces_.push_back(piece);
    missing -= piece.size();
    used = piece.size() == rest.size() ? 0 : used + piece.size();
    if (piece.size() == rest.size()) ++whole_chunks;
  }
  SharedBytes joined = pool_.join(pieces_.data(), pieces_.size());
  for (; whole_chunks > 0; --whole_chunks) chunks_.pop_front();
  front_used_ = used;
  return joined;
}

}  // namespace netrig::tcp
