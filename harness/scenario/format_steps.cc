// The format's table: a step, every verb with its own keys and the modifiers that make sense with
// it.
#include <algorithm>

#include "harness/scenario/format_forms.h"
#include "harness/sockets/socket_names.h"

namespace netrig::format_parts {

using namespace forms;

namespace {

using Names = std::vector<std::string>;

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<KeyFormat> modifiers() {
  return {
      {.name = "on",
       .forms = {name()},
       .doc = "the socket that is meant, by the name that `as` gave it; `listener` and "
              "`connection` are "
              "those of the actor's opening",
       .example = "\"listener\"",
       .fallback = "the current socket: the opening's, or the one made last"},
      {.name = "within",
       .forms = {duration()},
       .doc = "the step's deadline; past it the answer is `TIMEOUT`",
       .example = "\"1s\"",
       .fallback = "the run's `timeout`"},
      {.name = "after",
       .forms = {duration()},
       .doc = "a pause before the step",
       .example = "\"10ms\"",
       .fallback = "none"},
      {.name = "returns",
       .forms = {any_range()},
       .doc = "what the call returns",
       .example = "\"1..8388607\""},
      {.name = "error",
       .forms = {plain(Kind::kErrno), list_of({plain(Kind::kErrno)}, 1)},
       .doc = "the call must fail so: an errno's name, `TIMEOUT` (the deadline passed), `EOF` (the "
              "peer "
              "closed), or a list of which one must come",
       .example = "\"ECONNREFUSED\"",
       .fallback = "the step must succeed"},
      {.name = "save",
       .forms = {plain(Kind::kVariableName), object(Part::kSaveIntegers)},
       .doc = "keeps what came in a variable of this actor instance; an object decodes integers",
       .example = "{ \"size\": \"u32be\" }"},
      {.name = "export",
       .forms = {plain(Kind::kBoolean)},
       .doc = "makes what `save` or named groups keep known to every actor; whoever uses it waits "
              "for it",
       .example = "true",
       .fallback = "false"},
      {.name = "nonblocking",
       .forms = {plain(Kind::kBoolean)},
       .doc = "the call returns at once, with EAGAIN if it would have to wait",
       .example = "true",
       .fallback = "false"},
      {.name = "flags",
       .forms = {list_of({plain(Kind::kMessageFlag)})},
       .doc = "flags of the call",
       .example = "[\"MSG_PEEK\"]",
       .fallback = "none"},
      {.name = "note",
       .forms = {text()},
       .doc = "a remark, shown in reports",
       .example = "\"nothing has been sent yet\""},
      {.name = "spec",
       .forms = {list_of({text()}, 1)},
       .doc = "the requirements that this step checks, for `--conformance`",
       .example = "[\"RFC 1939 5\"]"},
  };
}

KeyFormat data_key() {
  return {.name = "data",
          .forms = forms::matcher(),
          .doc = "what the octets read must be",
          .example = "\"hello\""};
}

KeyFormat from_key() {
  return {.name = "from",
          .forms = {forms::target()},
          .doc = "who must have sent it: an actor, or an address",
          .example = "\"client\""};
}

std::vector<Variant> message_verbs() {
  return {
      {.head = {.name = "send",
                .forms = forms::payload(),
                .doc = "sends all of it, however many calls that takes; one datagram on a datagram "
                       "socket, "
                       "to whoever sent last if it is not connected"},
       .shared = {"on", "within", "after", "error", "note"},
       .example = R"({ "send": "ping ${i}" })"},
      {.head =
           {.name = "recv",
            .forms = forms::matcher(),
            .doc =
                "receives one message and checks it, however many calls that takes; exact octets "
                "stop at the first that differs"},
       .shared = {"on", "within", "after", "error", "save", "export", "note"},
       .example = R"x({ "recv": { "line": "hello (?P<who>[a-z]+)" }, "within": "1s" })x"},
      {.head = {.name = "eof",
                .forms = {yes()},
                .doc = "the peer closes or shuts down its writing half, and nothing comes before"},
       .shared = {"on", "within", "after", "error", "note"},
       .example = R"({ "eof": true })"},
      {.head = {.name = "collect",
                .forms =
                    [] {
                      Forms forms = forms::matcher();
                      forms.push_back(yes());
                      return forms;
                    }(),
                .doc = "receives messages, each as the matcher says, until the end"},
       .keys = {{.name = "until",
                 .forms = {object(Part::kUntil)},
                 .doc = "when to end; on datagrams it is required",
                 .fallback = "the end of the stream"}},
       .shared = {"on", "within", "after", "error", "save", "export", "note"},
       .example = R"({ "collect": { "prefix": "ping " }, "until": { "idle": "500ms" } })"},
  };
}

std::vector<Variant> setup_verbs() {
  const Names call = {"on", "after", "error", "note"};
  const KeyFormat as = {.name = "as",
                        .forms = {name()},
                        .doc = "a name for the new socket, for `on`",
                        .example = "\"second\""};
  return {
      {.head = {.name = "socket",
                .forms = {choice({"tcp", "udp", "tcp6", "udp6", "unix", "unix_dgram",
                                  "unix_seqpacket"}),
                          object(Part::kSocketType)},
                .doc = "makes a socket, which becomes the current one"},
       .keys = {as},
       .shared = {"after", "error", "note"},
       .example = R"({ "socket": "tcp", "as": "second" })"},
      {.head = {.name = "bind", .forms = {forms::address()}, .doc = "gives the socket an address"},
       .shared = call,
       .example = R"({ "bind": "tcp://:8080" })"},
      {.head = {.name = "listen",
                .forms = {number(0, std::numeric_limits<int32_t>::max())},
                .doc = "lets connections wait, at most so many (the backlog)"},
       .shared = call,
       .example = R"({ "listen": 16 })"},
      {.head = {.name = "accept", .forms = {yes()}, .doc = "takes the next waiting connection"},
       .keys = {as},
       .shared = {"on", "within", "after", "error", "nonblocking", "note"},
       .example = R"({ "accept": true, "as": "a" })"},
      {.head = {.name = "connect",
                .forms = {forms::target()},
                .doc = "connects to an actor's service, or to an address"},
       .shared = {"on", "within", "after", "error", "nonblocking", "note"},
       .example = R"({ "connect": "server", "error": "ECONNREFUSED" })"},
  };
}

std::vector<Variant> transfer_verbs() {
  const Names write = {"on", "within", "after", "returns", "error", "nonblocking", "flags", "note"};
  const Names read = write + Names{"save", "export"};
  const Form socket_names = list_of({name()}, 1);
  return {
      {.head = {.name = "read", .forms = {size()}, .doc = "one read of at most so many octets"},
       .keys = {data_key()},
       .shared = read,
       .example = R"({ "read": 64, "nonblocking": true, "error": "EAGAIN" })"},
      {.head = {.name = "write", .forms = forms::payload(), .doc = "one write"},
       .shared = write,
       .example = R"({ "write": { "pattern": "x", "length": "8MiB" }, "returns": 8388608 })"},
      {.head = {.name = "send_to", .forms = forms::payload(), .doc = "one sendto(2)"},
       .keys = {{.name = "to",
                 .forms = {forms::target()},
                 .doc = "the receiver: an actor, or an address",
                 .example = "\"server\"",
                 .required = true}},
       .shared = write,
       .example = R"({ "send_to": "ping", "to": "server" })"},
      {.head = {.name = "recv_from",
                .forms = {size()},
                .doc = "one recvfrom(2) of at most so many octets"},
       .keys = {data_key(), from_key()},
       .shared = read,
       .example = R"({ "recv_from": 2048, "data": "ping", "from": "client" })"},
      {.head = {.name = "send_msg",
                .forms = forms::payload(),
                .doc = "one sendmsg(2); a list is gathered, one part an element"},
       .keys = {{.name = "to",
                 .forms = {forms::target()},
                 .doc = "the receiver, on a socket that is not connected",
                 .example = "\"server\""},
                {.name = "rights",
                 .forms = {socket_names},
                 .doc = "sockets to pass along (SCM_RIGHTS)",
                 .example = "[\"second\"]"},
                {.name = "credentials",
                 .forms = {plain(Kind::kBoolean)},
                 .doc = "passes this process's credentials along (SCM_CREDENTIALS)",
                 .example = "true",
                 .fallback = "false"}},
       .shared = write,
       .example = R"({ "send_msg": ["head", "body"], "returns": 8 })"},
      {.head = {.name = "recv_msg",
                .forms = {size(), list_of({size()}, 1)},
                .doc = "one recvmsg(2) into one buffer, or scattered over several"},
       .keys = {data_key(),
                from_key(),
                {.name = "message_flags",
                 .forms = {list_of({plain(Kind::kMessageFlag)})},
                 .doc = "flags that must be set on return",
                 .example = "[\"MSG_TRUNC\"]"},
                {.name = "rights",
                 .forms = {socket_names},
                 .doc = "names for the sockets that must come along",
                 .example = "[\"passed\"]"},
                {.name = "credentials",
                 .forms = {plain(Kind::kBoolean)},
                 .doc = "the sender's credentials must come along",
                 .example = "true",
                 .fallback = "false"}},
       .shared = read,
       .example = R"({ "recv_msg": [4, 2048], "data": "headbody" })"},
  };
}

std::vector<Variant> closing_verbs() {
  const Names call = {"on", "after", "error", "note"};
  return {
      {.head = {.name = "shutdown",
                .forms = {choice({"read", "write", "both"})},
                .doc = "ends one or both halves of the connection"},
       .shared = call,
       .example = R"({ "shutdown": "write" })"},
      {.head = {.name = "close", .forms = {yes()}, .doc = "closes the socket"},
       .shared = call,
       .example = R"({ "close": true })"},
      {.head = {.name = "reset",
                .forms = {yes()},
                .doc = "closes the socket so that TCP sends RST (SO_LINGER of 0)"},
       .shared = call,
       .example = R"({ "reset": true })"},
  };
}

std::vector<Variant> query_verbs() {
  const Names call = {"on", "after", "error", "note"};
  const Names query = call + Names{"save", "export"};
  const Forms address = {yes(), template_text(), object(Part::kAddressParts)};
  return {
      {.head = {.name = "get_option",
                .forms = {plain(Kind::kOptionName)},
                .doc = "reads a socket option"},
       .keys = {{.name = "returns",
                 .forms = {any_range(), plain(Kind::kErrno)},
                 .doc = "the value it must have; for SO_ERROR also an errno's name",
                 .example = "\"4096..\""},
                {.name = "is",
                 .forms = {text(0)},
                 .doc = "the text it must have, for options that are text",
                 .example = "\"reno\""}},
       .shared = query,
       .example = R"({ "get_option": "SO_ERROR", "returns": "ECONNREFUSED" })"},
      {.head = {.name = "set_option",
                .forms = {object(Part::kOptions)},
                .doc = "sets socket options, in this order"},
       .shared = call,
       .example = R"({ "set_option": { "SO_SNDBUF": 4096, "SO_LINGER": "0s" } })"},
      {.head = {.name = "local_address",
                .forms = address,
                .doc = "asks for the socket's own address and checks it; text as `10.0.0.1:5001`"},
       .shared = query,
       .example = R"({ "local_address": { "port": "1024.." } })"},
      {.head = {.name = "peer_address",
                .forms = address,
                .doc = "asks for the peer's address and checks it"},
       .shared = query,
       .example = R"({ "peer_address": "${server.address}:${server.port}" })"},
      {.head = {.name = "poll",
                .forms = {object(Part::kPollSet)},
                .doc = "waits for events on sockets; returns how many are ready"},
       .keys = {{.name = "timeout",
                 .forms = {duration()},
                 .doc = "how long to wait; past it the call returns 0",
                 .example = "\"10ms\"",
                 .fallback = "for ever"}},
       .shared = {"within", "after", "returns", "error", "note"},
       .example = R"({ "poll": { "connection": "POLLIN" }, "timeout": "10ms", "returns": 0 })"},
      {.head = {.name = "pair",
                .forms = {choice({"unix", "unix_dgram", "unix_seqpacket", "tcp"}),
                          object(Part::kSocketType)},
                .doc = "makes two connected sockets, socketpair(2)"},
       .keys = {{.name = "as",
                 .forms = {list_of({name()}, 2, 2)},
                 .doc = "names for both",
                 .example = "[\"left\", \"right\"]",
                 .required = true}},
       .shared = {"after", "error", "note"},
       .example = R"({ "pair": "unix", "as": ["left", "right"] })"},
  };
}

std::vector<Variant> control_verbs() {
  const KeyFormat inner = {
      .name = "steps", .forms = {steps()}, .doc = "the steps", .required = true};
  return {
      {.head = {.name = "sleep", .forms = {duration()}, .doc = "waits"},
       .shared = {"note"},
       .example = R"({ "sleep": "20ms" })"},
      {.head = {.name = "barrier",
                .forms = {text()},
                .doc = "waits until every actor instance that names this barrier has come to it"},
       .shared = {"within", "after", "error", "note"},
       .example = R"({ "barrier": "everyone is connected" })"},
      {.head = {.name = "repeat",
                .forms = {number(0, 1'000'000'000)},
                .doc = "the steps so many times; `${i}` counts from 1"},
       .keys = {inner,
                {.name = "every",
                 .forms = {duration()},
                 .doc = "the pace: each round begins so long after the one before, without drift",
                 .example = "\"1ms\"",
                 .fallback = "without a pause"}},
       .shared = {"after", "note"},
       .example = R"({ "repeat": 10, "every": "1ms", "steps": [ { "send": "ping ${i}" } ] })"},
      {.head = {.name = "for",
                .forms = {plain(Kind::kVariableName)},
                .doc = "the steps once for each value, which the variable holds"},
       .keys = {{.name = "in",
                 .forms = {list_of({number(std::numeric_limits<int64_t>::min()), template_text()})},
                 .doc = "the values",
                 .example = "[\"GET\", \"PUT\"]",
                 .required = true},
                inner},
       .shared = {"after", "note"},
       .example = R"({ "for": "word", "in": ["one", "two"], "steps": [ { "send": "${word}" } ] })"},
      {.head =
           {.name = "use",
            .forms = {text()},
            .doc =
                "the steps of a part: `\"login\"` of this file, `\"common.parts.json#login\"` of "
                "another, relative to this one and not outside the scenario's folder"},
       .keys = {{.name = "with",
                 .forms = {object(Part::kArguments)},
                 .doc = "values for its parameters",
                 .example = R"({ "user": "ann" })"}},
       .shared = {"note"},
       .example = R"({ "use": "login", "with": { "user": "ann" } })"},
      {.head = {.name = "together",
                .forms = {list_of({steps()}, 1)},
                .doc = "lists of steps, side by side; goes on when all have ended"},
       .shared = {"after", "note"},
       .example = R"({ "together": [[ { "send": "a" } ], [ { "recv": "b" } ]] })"},
  };
}

}  // namespace

ObjectFormat step() {
  ObjectFormat format = {
      .part = Part::kStep,
      .name = "step",
      .title = "a step",
      .doc =
          "One verb, first in its object, then the verb's own keys and the modifiers that go with "
          "it. "
          "`send`, `recv`, `eof` and `collect` speak in messages and loop over partial reads and "
          "writes; verbs of the socket API are one call each, with POSIX's meaning.",
      .head_word = "verb",
      .keys = modifiers()};
  auto add = [&format](std::vector<Variant> variants, const char* group) {
    for (Variant& variant : variants) {
      variant.group = group;
      format.variants.push_back(std::move(variant));
    }
  };
  add(message_verbs(), "messages");
  add(setup_verbs(), "the socket API");
  add(transfer_verbs(), "the socket API");
  add(closing_verbs(), "the socket API");
  add(query_verbs(), "the socket API");
  add(control_verbs(), "control");
  // Modifiers stand in one order everywhere.
  for (Variant& variant : format.variants) {
    if (variant.head.name != "use") variant.shared.push_back("spec");
    Names ordered;
    for (const KeyFormat& key : format.keys) {
      if (std::ranges::find(variant.shared, key.name) != variant.shared.end()) {
        ordered.push_back(key.name);
      }
    }
    variant.shared = std::move(ordered);
  }
  return format;
}

}  // namespace netrig::format_parts
