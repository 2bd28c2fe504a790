#pragma once
// The values of a scenario: text and numbers with variables, payloads, matchers, addresses. See
// model.h.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/base/digest.h"
#include "harness/base/quantity.h"
#include "harness/net/endpoint.h"
#include "harness/scenario/source.h"

namespace re2 {
class RE2;
}

namespace netrig {

// ---------------------------------------------------------------- text and numbers with variables

// Text with `${name}` in it. `$${` in the file is a literal `${` here.
struct Template {
  struct Segment {
    std::string literal;   // used if variable is empty
    std::string variable;  // "i", "server.port", "who"
  };
  Location at;
  std::vector<Segment> segments;

  bool is_literal() const;      // no variable in it
  std::string literal() const;  // only if is_literal()
};

// An integer, or a lone "${x}" that is one when the run gets there.
using Number = std::variant<int64_t, Template>;

// ---------------------------------------------------------------- payloads and matchers

struct Payload;

struct PatternPayload {  // { "pattern": "abc", "length": "64KiB" }: repeated and cut
  Template pattern;
  Number length;
};
struct RandomPayload {  // { "random": "64KiB" }: from the seed and the path of the step that made
                        // it
  Number length;
  std::string path;  // "client.2": own path, or what "like" names
};
struct IntegerPayload {  // { "u32be": 5 }
  uint8_t octets = 1;    // 1, 2, 4, 8
  bool little_endian = false;
  Number value;
};

struct RealPayload {   // { "f32be": 1.5 }: IEEE 754
  uint8_t octets = 4;  // 4, 8
  bool little_endian = false;
  std::variant<double, Template> value;
};
struct ChecksumPayload {  // { "checksum": "crc32" }: of what stands before it in its list
  Checksum checksum = Checksum::kCrc32;
  bool little_endian = false;
  std::optional<size_t> parts;  // only of so many parts before it
  std::vector<Payload> of;      // of this one instead (one or none)
};

struct Payload {
  Location at;
  // Bytes: hex, base64, file (read when the scenario was loaded). A list is a concatenation.
  std::variant<Template, Bytes, PatternPayload, RandomPayload, IntegerPayload, RealPayload,
               ChecksumPayload, std::vector<Payload>>
      form;
};

struct SaveInteger {  // { "size": "u32be" }: decoded from the front, in order
  std::string name;
  uint8_t octets = 1;
  bool little_endian = false;
  bool is_signed = false;
  bool is_real = false;  // kept as text
};
struct Save {
  std::string name;  // keeps the octets (or the number of get_option, ...)
  std::vector<SaveInteger> integers;
};

struct Regex {
  Location at;
  std::string text;
  std::shared_ptr<const re2::RE2> compiled;  // named groups become variables
};

// { "hex": "45 00 ?? ??" }: octets of which only the bits of the mask are looked at.
struct MaskedOctets {
  Location at;
  Bytes octets;
  Bytes mask;  // as long as `octets`
};

struct SequencePart;

// What a receive expects. Framing says where a message ends on a stream (a datagram is its own
// frame); every condition that is set must hold for the message.
struct Matcher {
  Location at;
  // framing (at most one)
  std::optional<Payload> exact;  // exactly these octets
  std::optional<Number> length;  // so many octets
  std::optional<Payload> until;  // up to and including these octets
  std::optional<Regex> line;     // up to '\n'; the text without "\n" or "\r\n" matches fully
  std::optional<MaskedOctets> masked;
  std::vector<SequencePart> sequence;  // parts one after the other, nothing between them
  // conditions
  std::optional<Payload> prefix;
  std::optional<Payload> contains;
  std::optional<Regex> matches;  // the whole message, without anything stripped
  std::vector<Matcher> any_of;   // one of them; each is complete in itself
  std::vector<Matcher> none_of;  // "not": none of them
  std::optional<Range<int64_t>> size;
  std::optional<Bytes> sha256;
  bool any = false;  // whatever comes
};

struct SequencePart {
  Matcher matcher;
  std::optional<Save> save;
};

// ---------------------------------------------------------------- addresses

// "tcp", "udp6", "tcp://:8080", "tcp://server:1", "tcp://[::1]:80", "unix:${tmp}/a.sock",
// "unix:@name".
struct Address {
  Location at;
  Transport transport = Transport::kTcp;
  bool v6 = false;               // "tcp6", "udp6", or an IPv6 literal
  std::optional<IpAddress> ip;   // a literal
  std::string host;              // a host's name; neither: the actor's own host
  std::optional<uint16_t> port;  // empty: chosen by netrig, the same in every run
  Template path;                 // Unix: path or name; no segments: chosen by netrig
  bool abstract = false;
};

// Who is meant by "connect", "send_to", "to", "from": an actor's service, or an address.
struct Target {
  Location at;
  std::string actor;  // if not empty
  Address address;    // otherwise
};

}  // namespace netrig
