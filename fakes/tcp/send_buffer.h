#pragma once
// The octets an application wrote that were never sent: copied once into shared chunks, taken out
// as slices of the size of a segment. What was sent belongs to scoreboard.h. It knows no sequence
// numbers and no limits; its owner asks first.

#include <string>
#include <vector>

#include "harness/base/ring.h"
#include "harness/base/shared_bytes.h"

namespace netrig::tcp {

class SendBuffer {
 public:
  // `pool` must outlive it.
  explicit SendBuffer(BytePool& pool) : pool_(pool) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Copies. Small writes gather until a segment wants them, so that full segments can be cut from
  // them; `segment` is its size, and large chunks are whole multiples of it.
  void append(ByteView octets, size_t segment);
  // The first `count` octets, at most size(); a slice if they lie in one chunk, else a copy.
  SharedBytes take(size_t count);

 private:
  void seal_tail();

  BytePool& pool_;
  Ring<SharedBytes> chunks_;
  size_t front_used_ = 0;    // octets of the first chunk that were taken
  size_t chunk_octets_ = 0;  // in chunks_, not taken
  std::string tail_;         // small writes, behind the chunks
  size_t size_ = 0;
  std::vector<ByteView> pieces_;  // scratch of take()
};

}  // namespace netrig::tcp
