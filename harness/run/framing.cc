#include "harness/run/framing.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/run/render.h"
#include "harness/scenario/reader.h"

namespace netrig {
namespace {

// RFC 768: no UDP datagram is larger; Unix datagrams may be, and are read with what waits as the
// size.
constexpr size_t kChunk = kScratchOctets;
static_assert(kChunk >= 65536);

// Takes a stream apart; every method appends to `framed_` and stops at the first error.
class StreamReader {
 public:
  StreamReader(Branch& branch, OpenSocket& socket, int flags)
      : api_(branch.run.api),
        socket_(socket.socket),
        flags_(flags),
        buffer_(scratch(branch.run.stage)) {}

  Framed take() { return std::move(framed_); }
  bool failed() const { return framed_.error || framed_.mismatch; }

  void read_exact(const Bytes& expected) {
    while (framed_.message.size() < expected.size() && !failed()) {
      const size_t before = framed_.message.size();
      if (!receive(expected.size() - before, 0)) break;
      if (ByteView(expected).substr(0, framed_.message.size()) == framed_.message) continue;
      const Bytes shown = framed_.message + pending();
      framed_.mismatch = describe_difference(expected, shown);
    }
    if (framed_.error) tell_progress(fmt::format("of {}", plural(expected.size(), "octet")));
  }

  void read_length(size_t length) {
    while (framed_.message.size() < length && receive(length - framed_.message.size(), 0)) {
    }
    if (framed_.error) tell_progress(fmt::format("of {}", plural(length, "octet")));
  }

  // Looks before it takes, so that nothing behind the delimiter is touched.
  void read_until(const Bytes& delimiter) {
    while (framed_.message.size() < kScenarioPayloadMax) {
      const size_t before = framed_.message.size();
      if (!receive(kChunk, MSG_PEEK)) break;
      const size_t search_from = before - std::min(before, delimiter.size() - 1);
      const size_t found = framed_.message.find(delimiter, search_from);
      const size_t end = found == Bytes::npos ? framed_.message.size() : found + delimiter.size();
      framed_.message.resize(before);
      if (!receive(end - before, 0)) break;
      if (found != Bytes::npos) return;
    }
    if (framed_.error) tell_progress(fmt::format("without {}", format_quoted(delimiter)));
    if (!framed_.error) framed_.mismatch = Mismatch{"the message does not end", {}};
  }

  // Octet by octet until one of the alternatives is complete and fits, or none can be.
  void read_any_of(const Matcher& matcher, Variables& variables, uint64_t seed) {
    const auto fits = [&] {
      return !match_message(matcher, framed_.message, variables, seed, nullptr).has_value();
    };
    size_t longest = 0;
    for (const Matcher& one : matcher.any_of) {
      longest = std::max(longest, longest_of(one, variables, seed));
    }
    while (!fits() && framed_.message.size() < longest && receive(1, 0)) {
    }
    if (framed_.error) tell_progress("and none of the alternatives");
  }

  void read_to_end() {
    while (framed_.message.size() < kScenarioPayloadMax && receive(kChunk, 0)) {
    }
    if (framed_.error == Errno::eof() && !framed_.message.empty()) framed_.error.reset();
  }

 private:
  static constexpr size_t kLineMax = 65536;

  static size_t longest_of(const Matcher& one, Variables& variables, uint64_t seed) {
    if (one.exact) {
      const auto octets = render(*one.exact, variables, seed);
      return octets ? octets->size() : 0;
    }
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
    framed_.details.push_back(
        fmt::format("came: {} {}", plural(framed_.message.size(), "octet"), goal));
    if (!framed_.message.empty()) framed_.details.push_back(format_quoted(framed_.message));
  }

  SocketApi& api_;
  Socket socket_;
  int flags_;
  Bytes& buffer_;
  Framed framed_;
};

Framed failed_to_render(const std::string& why) {
  Framed framed;
  framed.mismatch = Mismatch{why, {}};
  return framed;
}

Framed read_stream(Branch& branch, OpenSocket& socket, const Matcher& matcher, int flags) {
  StreamReader reader(branch, socket, flags);
  const uint64_t seed = branch.run.stage.seed;
  if (const auto& delimited = matcher.exact ? matcher.exact : matcher.until) {
    const auto octets = render(*delimited, branch.scope, seed);
    if (!octets) return failed_to_render(octets.error());
    if (matcher.exact) {
      reader.read_exact(*octets);
    } else if (octets->empty()) {
      return failed_to_render("'until' is empty here");
    } else {
      reader.read_until(*octets);
    }
  } else if (matcher.length) {
    const auto length = evaluate(*matcher.length, branch.scope);
    if (!length) return failed_to_render(length.error());
    if (*length < 0 || static_cast<uint64_t>(*length) > kScenarioPayloadMax) {
      return failed_to_render(fmt::format("a length of {} octets is not possible", *length));
    }
    reader.read_length(static_cast<size_t>(*length));
  } else if (matcher.line) {
    reader.read_until("\n");
  } else if (!matcher.any_of.empty()) {
    reader.read_any_of(matcher, branch.scope, seed);
  } else {
    reader.read_to_end();
  }
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
