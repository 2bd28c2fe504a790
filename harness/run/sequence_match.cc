#include "harness/run/sequence_match.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/run/saving.h"

namespace netrig {

namespace {

// Octets of `rest` up to the end of `delimiter`.
size_t size_until(ByteView rest, ByteView delimiter) {
  const size_t at = rest.find(delimiter);
  return at == ByteView::npos ? rest.size() : at + delimiter.size();
}

size_t extent(const Matcher& matcher, ByteView rest, Variables& variables, uint64_t seed) {
  if (matcher.exact) {
    const auto octets = render(*matcher.exact, variables, seed);
    return octets ? std::min(octets->size(), rest.size()) : rest.size();
  }
  if (matcher.masked) return std::min(matcher.masked->octets.size(), rest.size());
  if (matcher.length) {
    const int64_t length = evaluate(*matcher.length, variables).value_or(-1);
    return length < 0 ? rest.size() : std::min(static_cast<size_t>(length), rest.size());
  }
  if (matcher.until) {
    const auto delimiter = render(*matcher.until, variables, seed);
    return delimiter ? size_until(rest, *delimiter) : rest.size();
  }
  if (matcher.line) return size_until(rest, "\n");
  for (const Matcher& one : matcher.any_of) {
    const size_t size = extent(one, rest, variables, seed);
    if (!match_message(one, rest.substr(0, size), variables, seed, nullptr)) return size;
  }
  return rest.size();
}

}  // namespace

SequenceMatch::SequenceMatch(const std::vector<SequencePart>& parts, Variables& variables,
                             uint64_t seed)
    : parts_(parts), seed_(seed), overlay_(variables, captures_) {}

std::expected<Value, std::string> SequenceMatch::Overlay::lookup(const std::string& name) {
  const auto found = captures_.find(name);
  return found == captures_.end() ? below_.lookup(name) : found->second;
}

Matcher SequenceMatch::expected() const {
  Matcher matcher = parts_[next_].matcher;
  const auto* checksum =
      matcher.exact ? std::get_if<ChecksumPayload>(&matcher.exact->form) : nullptr;
  if (checksum == nullptr || !checksum->of.empty()) return matcher;
  const size_t parts = std::min(checksum->parts.value_or(next_), next_);
  const size_t begin = parts == 0 ? octets_.size() : begins_[next_ - parts];
  matcher.exact->form =
      checksum_of(checksum->checksum, ByteView(octets_).substr(begin), checksum->little_endian);
  return matcher;
}

size_t SequenceMatch::part_size(ByteView rest) {
  return extent(expected(), rest, overlay_, seed_);
}

std::optional<Mismatch> SequenceMatch::take(ByteView octets) {
  const SequencePart& part = parts_[next_];
  Captures captures;
  std::optional<Mismatch> mismatch = match_message(expected(), octets, overlay_, seed_, &captures);
  if (!mismatch && part.save) {
    if (const auto values = saved_values(*part.save, octets)) {
      for (const auto& [name, value] : *values) captures[name] = value;
    } else {
      mismatch = Mismatch{values.error(), {}};
    }
  }
  const size_t number = next_ + 1;
  if (mismatch) {
    const std::string from = octets.empty() ? fmt::format("at octet {}", octets_.size())
                                            : fmt::format("octets {}..{}", octets_.size(),
                                                          octets_.size() + octets.size() - 1);
    mismatch->message =
        fmt::format("part {} of {} ({}): {}", number, parts_.size(), from, mismatch->message);
    return mismatch;
  }
  for (auto& [name, value] : captures) captures_[name] = std::move(value);
  begins_.push_back(octets_.size());
  octets_ += octets;
  next_ = number;
  return std::nullopt;
}

}  // namespace netrig
