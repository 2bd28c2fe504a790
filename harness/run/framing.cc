#include "harness/run/framing.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/run/render.h"
#include "harness/run/sequence_match.h"
#include "harness/scenario/reader.h"

namespace netrig {
namespace {

// RFC 768: no UDP datagram is larger; Unix datagrams may be, and are read with what waits as the
// size.
constexpr size_t kChunk = kScratchOctets;
static_assert(kChunk >= 65536);

// Takes a stream apart: each part that is read is appended to `framed_`, and the first error is the
// last thing that happens.
class StreamReader {
 public:
  StreamReader(Branch& branch, OpenSocket& socket, int flags)
      : api_(branch.run.api),
        socket_(socket.socket),
        flags_(flags),
        seed_(branch.run.stage.seed),
        buffer_(scratch(branch.run.stage)) {}

  Framed take() { return std::move(framed_); }

  void read(const Matcher& matcher, Variables& variables) {
    begin_ = framed_.message.size();
    if (!matcher.sequence.empty()) {
      read_sequence(matcher.sequence, variables);
    } else if (matcher.exact) {
      const auto octets = render(*matcher.exact, variables, seed_);
      if (!octets) return fail(octets.error());
      read_exact(*octets);
    } else if (matcher.until) {
      const auto octets = render(*matcher.until, variables, seed_);
      if (!octets) return fail(octets.error());
      if (octets->empty()) return fail("'until' is empty here");
      read_until(*octets);
    } else if (matcher.length) {
      const auto length = evaluate(*matcher.length, variables);
      if (!length) return fail(length.error());
      if (*length < 0 || static_cast<uint64_t>(*length) > kScenarioPayloadMax) {
        return fail(fmt::format("a length of {} octets is not possible", *length));
      }
      read_length(static_cast<size_t>(*length));
    } else if (matcher.masked) {
      read_length(matcher.masked->octets.size());
    } else if (matcher.line) {
      read_until("\n");
    } else if (!matcher.any_of.empty()) {
      read_any_of(matcher, variables);
    } else {
      read_to_end();
    }
  }

 private:
  static constexpr size_t kLineMax = 65536;

  void fail(const std::string& why) { framed_.mismatch = Mismatch{why, {}}; }
  bool failed() const { return framed_.error || framed_.mismatch; }
  // Of the part that is being read.
  ByteView part() const { return ByteView(framed_.message).substr(begin_); }

  void read_sequence(const std::vector<SequencePart>& parts, Variables& variables) {
    SequenceMatch sequence(parts, variables, seed_);
    while (!sequence.done() && !failed()) {
      read(sequence.expected(), sequence.variables());
      if (!failed()) framed_.mismatch = sequence.take(part());
    }
    begin_ = 0;
  }

  void read_exact(const Bytes& expected) {
    while (part().size() < expected.size() && !failed()) {
      if (!receive(expected.size() - part().size(), 0)) break;
      if (ByteView(expected).starts_with(part())) continue;
      framed_.mismatch = describe_difference(expected, Bytes(part()) + pending());
    }
    if (framed_.error) tell_progress(fmt::format("of {}", plural(expected.size(), "octet")));
  }

  void read_length(size_t length) {
    while (part().size() < length && receive(length - part().size(), 0)) {
    }
    if (framed_.error) tell_progress(fmt::format("of {}", plural(length, "octet")));
  }

  // Looks before it takes, so that nothing behind the delimiter is touched.
  void read_until(const Bytes& delimiter) {
    while (part().size() < kScenarioPayloadMax) {
      const size_t before = framed_.message.size();
      if (!receive(kChunk, MSG_PEEK)) break;
      const size_t search_from = before - std::min(before - begin_, delimiter.size() - 1);
      const size_t found = framed_.message.find(delimiter, search_from);
      const size_t end = found == Bytes::npos ? framed_.message.size() : found + delimiter.size();
      framed_.message.resize(before);
      if (!receive(end - before, 0)) break;
      if (found != Bytes::npos) return;
    }
    if (framed_.error) tell_progress(fmt::format("without {}", format_quoted(delimiter)));
    if (!framed_.error) fail("the message does not end");
  }

  // Octet by octet until one of the alternatives is complete and fits, or none can be.
  void read_any_of(const Matcher& matcher, Variables& variables) {
    const auto fits = [&] {
      return !match_message(matcher, part(), variables, seed_, nullptr).has_value();
    };
    size_t longest = 0;
    for (const Matcher& one : matcher.any_of) {
      longest = std::max(longest, longest_of(one, variables, seed_));
    }
    while (!fits() && part().size() < longest && receive(1, 0)) {
    }
    if (framed_.error) tell_progress("and none of the alternatives");
  }

  void read_to_end() {
    while (part().size() < kScenarioPayloadMax && receive(kChunk, 0)) {
    }
    if (framed_.error == Errno::eof() && !part().empty()) framed_.error.reset();
  }

  static size_t longest_of(const Matcher& one, Variables& variables, uint64_t seed) {
    if (one.exact) {
      const auto octets = render(*one.exact, variables, seed);
      return octets ? octets->size() : 0;
    }
    if (one.masked) return one.masked->octets.size();
    if (one.length) return static_cast<size_t>(evaluate(*one.length, variables).value_or(0));
    return kLineMax;
  }

  // One call; false on error or end of stream.
  bool receive(size_t size, int extra_flags) {
    const std::span<char> room(buffer_.data(), std::min(size, buffer_.size()));
    const auto got = api_.recv(socket_, room, flags_ | extra_flags);
    if (got) framed_.message.append(buffer_, 0, *got);
    if (!got) framed_.error = got.error();
    if (got && *got == 0) framed_.error = Errno::eof();
    return got && *got > 0;
  }

  Bytes pending() {
    Bytes more(kPreviewOctets, '\0');
    const auto got = api_.recv(socket_, more, MSG_PEEK | MSG_DONTWAIT);
    more.resize(got ? *got : 0);
    return more;
  }

  void tell_progress(const std::string& goal) {
    framed_.details.push_back(fmt::format("came: {} {}", plural(part().size(), "octet"), goal));
    if (begin_ > 0) framed_.details.push_back(fmt::format("after {}", plural(begin_, "octet")));
    if (!framed_.message.empty()) framed_.details.push_back(format_quoted(framed_.message));
  }

  SocketApi& api_;
  Socket socket_;
  int flags_;
  uint64_t seed_;
  Bytes& buffer_;
  Framed framed_;
  size_t begin_ = 0;  // of the part that is being read
};

Framed read_stream(Branch& branch, OpenSocket& socket, const Matcher& matcher, int flags) {
  StreamReader reader(branch, socket, flags);
  reader.read(matcher, branch.scope);
  return reader.take();
}

Framed read_datagram(Branch& branch, OpenSocket& socket, int flags) {
  Framed framed;
  SocketApi& api = branch.run.api;
  Bytes& buffer = scratch(branch.run.stage);
  auto got = api.recvfrom(socket.socket, buffer, flags | MSG_TRUNC | MSG_PEEK);
  if (got && got->size > buffer.size()) {
    framed.message.resize(got->size);
    got = api.recvfrom(socket.socket, framed.message, flags);
    framed.message.resize(got ? got->size : 0);
  } else if (got) {
    got = api.recvfrom(socket.socket, buffer, flags);
    if (got) framed.message.assign(buffer, 0, got->size);
  }
  if (!got) {
    framed.error = got.error();
    return framed;
  }
  framed.from = got->from;
  socket.last_sender = got->from;
  // A seqpacket socket tells the end of the connection like an empty message.
  if (framed.message.empty() && has_connections(socket.transport)) framed.error = Errno::eof();
  return framed;
}

}  // namespace

Framed read_message(Branch& branch, OpenSocket& socket, const Matcher& matcher, int flags) {
  if (keeps_boundaries(socket.transport)) return read_datagram(branch, socket, flags);
  return read_stream(branch, socket, matcher, flags);
}

}  // namespace netrig
