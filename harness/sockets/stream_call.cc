#include "harness/sockets/stream_call.h"

#include <algorithm>

namespace netrig {

std::vector<ByteView> stream_window(std::span<const ByteView> parts, size_t offset, size_t limit) {
  std::vector<ByteView> chosen;
  for (ByteView part : parts) {
    const size_t skip = std::min(offset, part.size());
    offset -= skip;
    part = part.substr(skip, limit);
    limit -= part.size();
    if (!part.empty()) chosen.push_back(part);
    if (limit == 0) break;
  }
  return chosen;
}

}  // namespace netrig
