#pragma once
// Gzip (RFC 1952) in memory, several members too, from untrusted octets and with a bound on the
// result.

#include <expected>
#include <string>
#include <vector>

#include "harness/base/bytes.h"

namespace netrig {

bool looks_like_gzip(ByteView file);

// A cut or damaged tail gives what came before it and a note. More than `limit` octets are an
// error: a few kilobytes can stand for gigabytes.
std::expected<Bytes, std::string> gunzip(ByteView file, size_t limit,
                                         std::vector<std::string>& notes);

}  // namespace netrig
