#include "harness/run/saving.h"

#include <bit>
#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {

namespace {

uint64_t bits_of(ByteView octets, bool little_endian) {
  uint64_t bits = 0;
  for (size_t i = 0; i < octets.size(); ++i) {
    bits = bits << 8 | octet_at(octets, little_endian ? octets.size() - 1 - i : i);
  }
  return bits;
}

Value decode(ByteView octets, const SaveInteger& form) {
  const uint64_t bits = bits_of(octets, form.little_endian);
  // IEEE 754, in the fewest digits that give the same number again.
  if (form.is_real && form.octets == 4) {
    return fmt::format("{}", std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  if (form.is_real) return fmt::format("{}", std::bit_cast<double>(bits));
  if (form.is_signed && form.octets < 8) {
    const unsigned unused = 64 - 8U * form.octets;
    return static_cast<int64_t>(bits << unused) >> unused;
  }
  return static_cast<int64_t>(bits);
}

}  // namespace

std::expected<std::vector<std::pair<std::string, Value>>, std::string> saved_values(
    const Save& save, ByteView octets) {
  std::vector<std::pair<std::string, Value>> values;
  if (!save.name.empty()) values.emplace_back(save.name, Bytes(octets));
  size_t offset = 0;
  for (const SaveInteger& integer : save.integers) {
    if (offset + integer.octets > octets.size()) {
      return std::unexpected(fmt::format("'{}' cannot be saved: it needs {}, only {} left of {}",
                                         integer.name, plural(integer.octets, "octet"),
                                         octets.size() - offset, octets.size()));
    }
    values.emplace_back(integer.name, decode(octets.substr(offset, integer.octets), integer));
    offset += integer.octets;
  }
  return values;
}

}  // namespace netrig
