// The format's table: the file, its actors, the network and the ladder.
#include "harness/scenario/format_forms.h"
#include "harness/sockets/socket_names.h"

namespace netrig::format_parts {

using namespace forms;

namespace {

// What is said of the whole file.
std::vector<KeyFormat> heading() {
  return {
      {.name = "$schema",
       .forms = {text(0)},
       .doc = "for editors: path of the schema",
       .example = "\"schema/scenario-1.json\""},
      {.name = "name",
       .forms = {text()},
       .doc = "one sentence: what holds if it passes",
       .example = "\"A client and a server greet each other over TCP\"",
       .required = true},
      {.name = "about", .forms = {text(0)}, .doc = "more about it, for readers"},
      {.name = "tags",
       .forms = {list_of({name()})},
       .doc = "words to select it by (`-t`)",
       .example = "[\"tcp\", \"smoke\"]"},
      {.name = "level",
       .forms = {choice({"must", "should", "may"})},
       .doc = "how binding what it checks is, as in RFC 2119; when a `should` or `may` fails the "
              "run `deviates`, and fails the call only with `--strict`",
       .example = "\"should\"",
       .fallback = "\"must\""},
      {.name = "spec",
       .forms = {list_of({text()}, 1)},
       .doc = "the requirements that it checks, for `--conformance`",
       .example = "[\"RFC 1035 4.2.1\"]"},
      {.name = "backends",
       .forms = {list_of({choice({"fake", "real", "wire"})}, 1)},
       .doc = "the worlds it can run on",
       .example = "[\"real\"]",
       .fallback = "all of them"},
      {.name = "needs",
       .forms = {list_of({text(), object(Part::kProgram)}, 1)},
       .doc = "programs that must be installed; without them its runs are `unsupported`",
       .example = "[\"redis-server\"]"},
      {.name = "skip", .forms = {text()}, .doc = "a reason not to run it for now"},
      {.name = "expected_failure",
       .forms = {text(), object(Part::kExpectedFailure)},
       .doc = "why it is known to fail: a run that fails is `xfail` and no failure, one that "
              "passes is `xpass` and is one",
       .example = "\"answers in the wrong order, bug 17\""},
      {.name = "seed",
       .forms = {integer(0)},
       .doc = "what all chance of a run comes from",
       .example = "7",
       .fallback = "1"},
      {.name = "timeout",
       .forms = {duration()},
       .doc = "the longest that a run may take",
       .example = "\"30s\""}};
}

// What takes part, and what must hold.
std::vector<KeyFormat> body() {
  return {{.name = "env",
           .forms = {object(Part::kTakenEnvironment)},
           .doc = "environment variables that it takes, as `${env.NAME}`",
           .example = "{ \"REDIS_PORT\": \"6379\" }"},
          {.name = "matrix",
           .forms = {object(Part::kMatrix), list_of({object(Part::kMatrixRow)}, 1)},
           .doc = "variables with several values each: a run for every combination, or for every "
                  "row of a list",
           .example = "{ \"transport\": [\"tcp\", \"unix\"] }"},
          {.name = "vars",
           .forms = {object(Part::kVars)},
           .doc = "values for `${name}` in strings; `--set name=value` replaces them",
           .example = "{ \"loss\": \"10%\" }"},
          {.name = "parts",
           .forms = {object(Part::kParts)},
           .doc = "steps that `use` puts in, of this file and of others"},
          {.name = "network",
           .forms = {object(Part::kNetwork)},
           .doc = "what happens to packets between hosts",
           .fallback = "nothing does"},
          {.name = "processes",
           .forms = {object(Part::kProcesses)},
           .doc = "programs under test, started for the run"},
          {.name = "relays",
           .forms = {object(Part::kRelays)},
           .doc = "forwarders between two addresses, to watch or disturb what passes"},
          {.name = "actors", .forms = {object(Part::kActors)}, .doc = "who takes part"},
          {.name = "ladder",
           .forms = {list_of({object(Part::kRung)}, 1)},
           .doc = "the whole exchange as one ordered list; its actors have openings and no steps"},
          {.name = "packets",
           .forms = {object(Part::kPackets)},
           .doc = "names for kinds of packets, for expectations"},
          {.name = "expect",
           .forms = {list_of({object(Part::kExpectation)})},
           .doc = "what must hold of the finished run"}};
}

}  // namespace

ObjectFormat file() {
  return {.part = Part::kFile,
          .name = "scenario",
          .title = "a scenario",
          .doc = "One file is one scenario. Plain JSON; `//` and `/* */` comments are read over.",
          .keys = heading() + body()};
}

ObjectFormat vars() {
  return {.part = Part::kVars,
          .name = "vars",
          .title = "the variables",
          .doc =
              "Variables that are known when the file is loaded. A string that is nothing but one "
              "`${name}` becomes the value with its type.",
          .keys = {{.name = "VARIABLE",
                    .forms = {template_text(), integer(std::numeric_limits<int64_t>::min()),
                              plain(Kind::kBoolean)},
                    .doc = "text, an integer, true or false",
                    .example = "1000",
                    .pattern = KeyPattern::kVariable}}};
}

ObjectFormat actors() {
  return {.part = Part::kActors,
          .name = "actors",
          .title = "the actors",
          .doc = "Who takes part, by name. All run side by side.",
          .keys = {{.name = "NAME",
                    .forms = {object(Part::kActor)},
                    .doc = "an actor",
                    .pattern = KeyPattern::kName}},
          .at_least_one = true};
}

ObjectFormat actor() {
  return {
      .part = Part::kActor,
      .name = "actor",
      .title = "an actor",
      .doc =
          "Has at most one opening (`listen`, `bind`, `connect`), then runs its steps. A listening "
          "actor "
          "accepts one connection before its first step. Without an opening it makes its sockets "
          "by "
          "steps.",
      .keys =
          {{.name = "listen",
            .forms = {forms::address({"tcp", "tcp6", "unix", "unix_seqpacket"})},
            .doc = "waits for connections here",
            .example = "\"tcp\""},
           {.name = "bind",
            .forms = {forms::address()},
            .doc = "has a socket bound to this address, without listening",
            .example = "\"udp\""},
           {.name = "connect",
            .forms = {forms::target()},
            .doc = "connects to another actor, or to an address",
            .example = "\"server\""},
           {.name = "host",
            .forms = {name()},
            .doc = "the host that it runs on; actors with one host share its address",
            .example = "\"gateway\"",
            .fallback = "one of its own, with its name"},
           {.name = "count",
            .forms = {integer(1, kScenarioInstancesMax)},
            .doc = "so many instances of it run; `${i}` is the instance's number, from 1",
            .example = "50",
            .fallback = "1"},
           {.name = "from",
            .forms = {forms::address()},
            .doc = "the address to bind to before connecting",
            .example = "\"tcp://:4000\"",
            .fallback = "chosen by the kernel",
            .needs = "connect"},
           {.name = "backlog",
            .forms = {integer(0, std::numeric_limits<int32_t>::max())},
            .doc = "how many connections may wait to be accepted",
            .example = "64",
            .fallback = "128",
            .needs = "listen"},
           {.name = "options",
            .forms = {object(Part::kOptions)},
            .doc = "socket options, set before the opening",
            .example = "{ \"TCP_NODELAY\": 1 }"},
           {.name = "steps", .forms = {steps()}, .doc = "what it does, one after the other"},
           {.name = "each",
            .forms = {steps()},
            .doc = "what it does for every accepted connection; `${i}` is the connection's number, "
                   "from 1",
            .needs = "listen"},
           {.name = "at_once",
            .forms = {integer(0, kScenarioInstancesMax)},
            .doc = "how many connections `each` serves side by side; 0: all",
            .example = "1",
            .fallback = "0",
            .needs = "each"},
           {.name = "leftover",
            .forms = {choice({"ignore"})},
            .doc = "octets, datagrams and connections left at the end are no failure",
            .example = "\"ignore\"",
            .fallback = "they fail the run"}},
      .at_most_one = {{"listen", "bind", "connect"}, {"steps", "each"}}};
}

ObjectFormat options() {
  ObjectFormat format = {.part = Part::kOptions,
                         .name = "options",
                         .title = "socket options",
                         .doc = "Socket options by name, as in socket(7), tcp(7) and ip(7).",
                         .at_least_one = true};
  for (const SocketOption& option : socket_options()) {
    KeyFormat key = {.name = option.name};
    switch (option.kind) {
      case SocketOption::Kind::kInteger:
        key.forms = {
            number(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max())};
        key.doc = "an integer; 1 and 0 for on and off";
        break;
      case SocketOption::Kind::kLinger:
        key.forms = {duration(), choice({"off"})};
        key.doc = "how long close waits, in whole seconds; \"off\": it does not wait";
        break;
      case SocketOption::Kind::kMicroseconds:
        key.forms = {duration()};
        key.doc = "a duration; \"0s\": for ever";
        break;
      case SocketOption::Kind::kBytes:
        key.forms = {text()};
        key.doc = "text";
        break;
    }
    format.keys.push_back(std::move(key));
  }
  return format;
}

ObjectFormat rung() {
  return {
      .part = Part::kRung,
      .name = "rung",
      .title = "a rung of the ladder",
      .doc =
          "One message. Its receiver must get exactly it before the next rung begins, except where "
          "flight times say otherwise.",
      .head_word = "rung",
      .variants = {
          {.head = {.name = "A -> B",
                    .forms = forms::payload(),
                    .doc = "A sends it to B; `\"A -x B\"`: the network drops it",
                    .pattern = KeyPattern::kRung},
           .keys = {{.name = "takes",
                     .forms = {duration()},
                     .doc = "how long it is under way; datagrams only",
                     .example = "\"20ms\""},
                    {.name = "note", .forms = {text()}, .doc = "a remark, shown in reports"}},
           .example = R"({ "client -> server": "ping 1", "takes": "20ms" })"}}};
}

}  // namespace netrig::format_parts
