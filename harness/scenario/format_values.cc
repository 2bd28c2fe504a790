// The format's table: payloads, matchers and the small objects inside steps.
#include "harness/base/digest.h"
#include "harness/scenario/format_forms.h"
#include "harness/sockets/socket_names.h"

namespace netrig::forms {

Form address(std::vector<std::string> transports) {
  if (transports.empty()) {
    transports = {"tcp", "udp", "tcp6", "udp6", "unix", "unix_dgram", "unix_seqpacket"};
  }
  return {.kind = Kind::kAddress, .run_time = true, .choices = std::move(transports)};
}

namespace {

Forms payload_of(Part part) {
  const Forms one = {template_text(), object(Part::kPayload)};
  Forms element = one;
  element.push_back(list_of(one, 1));
  return {template_text(), object(part), list_of(element, 1)};
}

}  // namespace

Forms payload() {
  return payload_of(Part::kPayload);
}
Forms matcher() {
  const Forms one = {template_text(), object(Part::kPayload)};
  return {template_text(), object(Part::kMatcher),
          list_of({template_text(), object(Part::kSequencePart), list_of(one, 1)}, 1)};
}

std::vector<KeyFormat> operator+(std::vector<KeyFormat> a, const std::vector<KeyFormat>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace netrig::forms

namespace netrig::format_parts {

using namespace forms;

namespace {

int64_t lowest(const NumberForm& form) {
  if (!form.is_signed) return 0;
  return std::numeric_limits<int64_t>::min() >> (64 - form.octets * 8);
}
int64_t highest(const NumberForm& form) {
  if (form.octets == 8) return std::numeric_limits<int64_t>::max();
  return (int64_t{1} << (form.octets * 8 - (form.is_signed ? 1 : 0))) - 1;
}

std::vector<std::string> number_form_names() {
  std::vector<std::string> names;
  for (const NumberForm& form : number_forms()) names.push_back(form.name);
  return names;
}

std::string number_doc(const NumberForm& form) {
  std::string doc = form.is_real ? "a number of IEEE 754 in " : "an integer in ";
  doc += std::to_string(form.octets) + (form.octets == 1 ? " octet" : " octets");
  if (form.octets > 1) {
    doc += form.little_endian ? ", the lowest first" : ", the highest first (as on the network)";
  }
  if (form.is_signed && !form.is_real) doc += ", with sign";
  return doc;
}

std::vector<Variant> payload_variants() {
  std::vector<Variant> variants = {
      {.head = {.name = "hex",
                .forms = {plain(Kind::kHex)},
                .doc = "octets as pairs of hex digits; white space is ignored"},
       .example = R"({ "hex": "00 05 68 65" })"},
      {.head = {.name = "base64",
                .forms = {plain(Kind::kBase64)},
                .doc = "octets as RFC 4648 writes them; white space is ignored"},
       .example = R"({ "base64": "aGVsbG8=" })"},
      {.head = {.name = "file",
                .forms = {text()},
                .doc = "the octets of a file, read when the scenario is loaded; relative to the "
                       "scenario's folder and never outside it"},
       .keys = {{.name = "range",
                 .forms = {count_range()},
                 .doc = "only these octets of it, counted from 0, both ends included",
                 .fallback = "the whole file"}},
       .example = R"({ "file": "big.bin", "range": "0..1023" })"},
      {.head = {.name = "pattern",
                .forms = {template_text()},
                .doc = "text repeated and cut to `length`: small in the file and in reports"},
       .keys = {{.name = "length", .forms = {size()}, .doc = "how many octets", .required = true}},
       .example = R"({ "pattern": "abc", "length": "64KiB" })"},
      {.head = {.name = "random",
                .forms = {size()},
                .doc = "so many random octets, a function of the seed and of the step's path"},
       .keys = {{.name = "like",
                 .forms = {text()},
                 .doc = "path of the step that made them, to expect the same octets elsewhere",
                 .fallback = "this step's own path"}},
       .example = R"({ "random": "64KiB", "like": "client.2" })"},
      {.head = {.name = "lines",
                .forms = {list_of({template_text()}, 1)},
                .doc = "lines of text, each ended with CRLF"},
       .example = R"({ "lines": ["GET / HTTP/1.1", "Host: x", ""] })"},
  };
  for (const NumberForm& form : number_forms()) {
    const Form value =
        form.is_real ? at_run_time(plain(Kind::kReal)) : number(lowest(form), highest(form));
    variants.push_back({.head = {.name = form.name, .forms = {value}, .doc = number_doc(form)},
                        .example = "{ \"" + form.name + (form.is_real ? "\": 1.5 }" : "\": 5 }")});
  }
  variants.push_back(
      {.head = {.name = "checksum",
                .forms = {choice(checksum_names())},
                .doc =
                    "the checksum of all that stands before it in the same list: `internet` "
                    "(RFC 1071, 2 octets), `crc32` (Ethernet, zip), `crc32c`, `adler32`, `xor8`, "
                    "`sum8`, `sha1`, `sha256`"},
       .keys = {{.name = "of",
                 .forms = forms::payload(),
                 .doc = "of these octets instead",
                 .fallback = "all before it"},
                {.name = "parts",
                 .forms = {integer(1, 1000)},
                 .doc = "only of so many elements of the list right before it",
                 .fallback = "all of them"},
                {.name = "order",
                 .forms = {choice({"be", "le"})},
                 .doc = "the order of its octets: the highest first or the lowest first",
                 .fallback = "\"be\""}},
       .example = R"({ "checksum": "crc32", "order": "le" })"});
  return variants;
}

// As a payload, but that `hex` may leave bits open.
std::vector<Variant> matcher_variants() {
  std::vector<Variant> variants = payload_variants();
  variants.front() = {.head = {.name = "hex",
                               .forms = {plain(Kind::kMaskedHex)},
                               .doc = "octets as pairs of hex digits; a `?` is any digit"},
                      .keys = {{.name = "mask",
                                .forms = {plain(Kind::kHex)},
                                .doc = "only the bits that are 1 here count; as many octets",
                                .fallback = "all bits, but for each `?`"}},
                      .example = R"({ "hex": "45 00 ?? ??" })"};
  variants.push_back({.head = {.name = "any", .forms = {yes()}, .doc = "whatever comes"},
                      .example = R"({ "any": true })"});
  variants.push_back({.head = {.name = "any_of",
                               .forms = {list_of(forms::matcher(), 1)},
                               .doc = "one of these matchers, each complete in itself"},
                      .example = R"({ "any_of": ["+OK\r\n", { "line": "-ERR .*" }] })"});
  return variants;
}

std::vector<KeyFormat> conditions() {
  return {
      {.name = "length", .forms = {size()}, .doc = "so many octets", .example = "4"},
      {.name = "until",
       .forms = forms::payload(),
       .doc = "up to and including these octets",
       .example = R"("\r\n\r\n")"},
      {.name = "line",
       .forms = {plain(Kind::kRegex)},
       .doc = "up to the end of a line; its text without \"\\n\" or \"\\r\\n\" matches this "
              "RE2 expression as a whole; named groups become variables",
       .example = R"x("hello (?P<who>[a-z0-9-]+)")x"},
      {.name = "prefix",
       .forms = forms::payload(),
       .doc = "begins with these octets",
       .example = R"("ping ")"},
      {.name = "contains",
       .forms = forms::payload(),
       .doc = "has these octets somewhere",
       .example = R"("Content-Length: ")"},
      {.name = "matches",
       .forms = {plain(Kind::kRegex)},
       .doc = "the whole message, nothing stripped, matches this RE2 expression; named groups "
              "become variables",
       .example = R"("pong [0-9]+")"},
      {.name = "size",
       .forms = {count_range()},
       .doc = "how many octets the message has",
       .example = R"("1..512")"},
      {.name = "sha256",
       .forms = {plain(Kind::kHex)},
       .doc = "the message's SHA-256",
       .example = "\"ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad\""},
      {.name = "not",
       .forms = forms::matcher(),
       .doc = "it is not this; nothing is kept of it",
       .example = R"({ "prefix": "-ERR" })"}};
}

}  // namespace

ObjectFormat payload() {
  return {.part = Part::kPayload,
          .name = "payload",
          .title = "a payload",
          .doc =
              "Octets to send or to expect. Text stands for its UTF-8 octets; a list is a "
              "concatenation; an object has one of these forms.",
          .head_word = "payload form",
          .variants = payload_variants()};
}

ObjectFormat matcher() {
  return {.part = Part::kMatcher,
          .name = "matcher",
          .title = "a matcher",
          .doc =
              "What a receive expects: a payload (exactly these octets), or conditions. Conditions "
              "are combined in one object: at most one of `length`, `until` and `line`, which say "
              "where a message ends on a stream (a datagram ends by itself), and any of `prefix`, "
              "`contains`, `matches`, `size`, `sha256` and `not`. A list of both is a message of "
              "several parts, one after the other.",
          .head_word = "payload form or condition",
          .keys = conditions(),
          .variants = matcher_variants(),
          .headless = true,
          .at_least_one = true,
          .at_most_one = {{"length", "until", "line"}}};
}

ObjectFormat sequence_part() {
  ObjectFormat format = matcher();
  format.part = Part::kSequencePart;
  format.name = "sequence_part";
  format.title = "a part of a message";
  format.doc =
      "An element of a list that a receive expects: a payload's form or conditions, as above, "
      "which must tell where the part ends, unless it is the last; and `save`. What one part "
      "keeps, "
      "the next can use. A checksum is that of the octets that came.";
  format.keys.push_back({.name = "save",
                         .forms = {plain(Kind::kVariableName), object(Part::kSaveIntegers)},
                         .doc = "keeps this part in a variable, or integers at its front",
                         .example = "{ \"size\": \"u16be\" }"});
  for (Variant& variant : format.variants) variant.shared = {"save"};
  return format;
}

ObjectFormat socket_type() {
  return {.part = Part::kSocketType,
          .name = "socket_type",
          .title = "a kind of socket",
          .doc = "The arguments of socket(2) and socketpair(2), for kinds that have no name here.",
          .keys = {{.name = "domain",
                    .forms = {choice(names_of(socket_domains()))},
                    .doc = "the address family",
                    .example = "\"AF_INET\"",
                    .required = true},
                   {.name = "type",
                    .forms = {choice(names_of(socket_types()))},
                    .doc = "the socket's type",
                    .example = "\"SOCK_STREAM\"",
                    .required = true},
                   {.name = "protocol",
                    .forms = {integer(0, 65535)},
                    .doc = "the protocol's number",
                    .example = "6",
                    .fallback = "0"}}};
}

ObjectFormat poll_set() {
  return {.part = Part::kPollSet,
          .name = "poll_set",
          .title = "a set of sockets to poll",
          .doc = "Sockets of this actor by name, and the events to wait for.",
          .keys = {{.name = "SOCKET",
                    .forms = {plain(Kind::kPollEvents), list_of({choice(names_of(poll_events()))}),
                              object(Part::kPollEntry)},
                    .doc = "events: names joined by `|`, a list of names, or an object",
                    .example = "\"POLLIN|POLLOUT\"",
                    .pattern = KeyPattern::kName}},
          .at_least_one = true};
}

ObjectFormat poll_entry() {
  const Forms events = {plain(Kind::kPollEvents), list_of({choice(names_of(poll_events()))})};
  return {.part = Part::kPollEntry,
          .name = "poll_entry",
          .title = "a polled socket",
          .doc = "Events to wait for and events that must have come.",
          .keys = {{.name = "events",
                    .forms = events,
                    .doc = "events to wait for",
                    .example = "[\"POLLIN\"]",
                    .required = true},
                   {.name = "ready",
                    .forms = events,
                    .doc = "exactly the events that must be reported; an empty list: none",
                    .example = "[\"POLLIN\", \"POLLHUP\"]"}}};
}

ObjectFormat until() {
  return {.part = Part::kUntil,
          .name = "until",
          .title = "the end of a collection",
          .doc = "When `collect` ends: the first of these to come.",
          .keys = {{.name = "idle",
                    .forms = {duration()},
                    .doc = "nothing came for so long",
                    .example = "\"500ms\""},
                   {.name = "count",
                    .forms = {number(1)},
                    .doc = "so many messages have come",
                    .example = "1000"},
                   {.name = "time",
                    .forms = {duration()},
                    .doc = "so long after the step began",
                    .example = "\"2s\""}},
          .at_least_one = true};
}

ObjectFormat save_integers() {
  return {.part = Part::kSaveIntegers,
          .name = "save_integers",
          .title = "integers to keep",
          .doc = "Names for integers decoded from the front of the message, one after the other.",
          .keys = {{.name = "VARIABLE",
                    .forms = {choice(number_form_names())},
                    .doc = "the integer's width and order of octets; `f32be` and its like are "
                           "kept as text",
                    .example = "\"u32be\"",
                    .pattern = KeyPattern::kVariable}},
          .at_least_one = true};
}

ObjectFormat address_parts() {
  return {.part = Part::kAddressParts,
          .name = "address_parts",
          .title = "an expected address",
          .doc = "The parts of an address that matter.",
          .keys = {{.name = "address",
                    .forms = {template_text()},
                    .doc = "the IP address, or the Unix path",
                    .example = "\"${server.address}\""},
                   {.name = "port",
                    .forms = {bounded(Kind::kIntegerRange, 0, 65535)},
                    .doc = "the port",
                    .example = "\"1024..\""}},
          .at_least_one = true};
}

}  // namespace netrig::format_parts
