#pragma once
// Reads the octets of a `file` payload. A scenario may come from anywhere, so the file must lie in
// its folder: no absolute path, no way up, no symbolic link that leads out.

#include <expected>
#include <string>

#include "harness/base/bytes.h"
#include "harness/base/quantity.h"

namespace netrig {

// The octets of `folder`/`path` in `range` (from 0, both ends included). At most `octets_max`. The
// error is a sentence without a full stop.
std::expected<Bytes, std::string> read_payload_file(const std::string& folder,
                                                    const std::string& path,
                                                    const Range<int64_t>& range, size_t octets_max);

// All of a regular file, at most `octets_max` octets; the error is a sentence about "it".
std::expected<Bytes, std::string> read_regular_file(const std::string& path, size_t octets_max);

}  // namespace netrig
