// The format's table: programs under test, and relays.
#include "harness/base/signal_names.h"
#include "harness/scenario/format_forms.h"

namespace netrig::format_parts {

using namespace forms;

namespace {

// One key, NAME, for each thing of a collection.
ObjectFormat collection(Part part, const char* name, const char* title, const char* doc,
                        KeyFormat each) {
  return {.part = part,
          .name = name,
          .title = title,
          .doc = doc,
          .keys = {std::move(each)},
          .at_least_one = true};
}

}  // namespace

ObjectFormat processes() {
  return collection(
      Part::kProcesses, "processes", "the processes",
      "Programs under test, by name. They run inside the run's own network, with the "
      "file system read-only but for `${tmp}` and a few fresh folders, as the user who "
      "runs netrig. What one prints is kept in `NAME.stdout` and `NAME.stderr` of the "
      "run's folder. One that ends before it is stopped, leaves processes behind or "
      "does not end when it is asked to fails the run.",
      {.name = "NAME",
       .forms = {object(Part::kProcess)},
       .doc = "a program",
       .pattern = KeyPattern::kName});
}

ObjectFormat process() {
  return {
      .part = Part::kProcess,
      .name = "process",
      .title = "a process",
      .doc = "Started when all actors listen; no actor takes a step before every process is ready.",
      .keys = {
          {.name = "run",
           .forms = {list_of({template_text()}, 1)},
           .doc = "the program and its arguments; without `/` it is looked for on the PATH",
           .example = R"(["redis-server", "--port", "6379"])",
           .required = true},
          {.name = "env",
           .forms = {object(Part::kEnvironment)},
           .doc = "environment variables, on top of `PATH`, `HOME` and `TMPDIR` (both `${tmp}`), "
                  "`LANG` (`C.UTF-8`) and `TZ` (`UTC`); nothing else is passed on",
           .example = R"({ "MODE": "test" })"},
          {.name = "files",
           .forms = {object(Part::kFiles)},
           .doc = "files to make in `${tmp}`, the working folder, before it starts",
           .example = R"({ "app.conf": "listen ${app.address}:80;" })"},
          {.name = "input",
           .forms = forms::payload(),
           .doc = "what it reads from its stdin",
           .fallback = "nothing: the end of file at once"},
          {.name = "ready",
           .forms = {object(Part::kReady)},
           .doc = "when it is ready; others reach it by its name at the first address here",
           .example = R"({ "listening": "tcp://:6379" })",
           .fallback = "as soon as it runs"},
          {.name = "stop",
           .forms = {object(Part::kStop)},
           .doc = "how it is ended when all actors are done"},
          {.name = "exits",
           .forms = {bounded(Kind::kIntegerRange, 0, 255), choice({"any"}), choice(signal_names())},
           .doc = "it ends by itself, and the run waits for that: its exit status, or the signal "
                  "that kills it",
           .example = "0",
           .fallback = "it runs until it is stopped"},
          {.name = "after",
           .forms = {list_of({name()}), name()},
           .doc = "processes that must be ready before it starts",
           .example = "[\"database\"]"},
          {.name = "host",
           .forms = {name()},
           .doc = "the host that it runs on",
           .fallback = "one of its own, with its name"},
          {.name = "output_max",
           .forms = {bounded(Kind::kSize, 1, int64_t{1} << 30)},
           .doc = "how much it may print; more fails the run",
           .example = "\"64MiB\"",
           .fallback = "16MiB to each of stdout and stderr"}}};
}

ObjectFormat environment() {
  return collection(Part::kEnvironment, "environment", "environment variables",
                    "Environment variables of a process.",
                    {.name = "VARIABLE",
                     .forms = {template_text()},
                     .doc = "its value",
                     .pattern = KeyPattern::kVariable});
}

ObjectFormat files() {
  return collection(Part::kFiles, "files", "files of a process",
                    "Files to make, by their paths below `${tmp}`.",
                    {.name = "PATH",
                     .forms = forms::payload(),
                     .doc = "what the file holds",
                     .example = R"("port 6379\n")",
                     .pattern = KeyPattern::kText});
}

ObjectFormat ready() {
  return {.part = Part::kReady,
          .name = "ready",
          .title = "when a process is ready",
          .doc = "All that is said must hold.",
          .keys = {{.name = "listening",
                    .forms = {forms::address(), list_of({forms::address()}, 1)},
                    .doc = "the process itself, or one that it started, waits for peers there; an "
                           "impostor's socket does not count",
                    .example = "\"tcp://:6379\""},
                   {.name = "log",
                    .forms = {plain(Kind::kRegex)},
                    .doc = "a line of its output matches this somewhere",
                    .example = "\"[Rr]eady to accept\""},
                   {.name = "within",
                    .forms = {duration()},
                    .doc = "how long that may take",
                    .example = "\"5s\"",
                    .fallback = "10s"}},
          .at_least_one = true};
}

ObjectFormat stop() {
  return {.part = Part::kStop,
          .name = "stop",
          .title = "how a process is stopped",
          .doc =
              "Its first process gets the signal; what is left after `within` is killed, and "
              "that fails the run.",
          .keys = {{.name = "signal",
                    .forms = {choice(signal_names())},
                    .doc = "the signal that asks it to end",
                    .example = "\"SIGQUIT\"",
                    .fallback = "SIGTERM"},
                   {.name = "within",
                    .forms = {duration()},
                    .doc = "how long it and all that it started may take to end",
                    .example = "\"2s\"",
                    .fallback = "5s"}},
          .at_least_one = true};
}

ObjectFormat relays() {
  return collection(
      Part::kRelays, "relays", "the relays",
      "Forwarders, by name: the way to watch or disturb two programs that talk to each "
      "other. Both sides are captured.",
      {.name = "NAME",
       .forms = {object(Part::kRelay)},
       .doc = "a relay",
       .pattern = KeyPattern::kName});
}

ObjectFormat relay() {
  return {
      .part = Part::kRelay,
      .name = "relay",
      .title = "a relay",
      .doc =
          "Takes connections, makes one to its target for each, and forwards octets, ends and "
          "resets both ways; or datagrams, with a socket of its own for each sender. The "
          "faults of `network` apply to its host.",
      .keys = {{.name = "listen",
                .forms = {forms::address()},
                .doc = "where it waits",
                .example = "\"tcp\"",
                .required = true},
               {.name = "to",
                .forms = {forms::target()},
                .doc = "where it forwards to: an actor, a process, another relay or an address",
                .example = "\"server\"",
                .required = true},
               {.name = "host",
                .forms = {name()},
                .doc = "the host that it runs on",
                .fallback = "one of its own, with its name"},
               {.name = "chop",
                .forms = {bounded(Kind::kIntegerRange, 1)},
                .doc = "a stream goes on in pieces of so many octets, 1 ms apart unless `rate` "
                       "says more; each size is drawn from the seed",
                .example = "\"1..3\"",
                .fallback = "as it comes"},
               {.name = "delay",
                .forms = {duration_range()},
                .doc = "how long what came is kept before it goes on; drawn for each piece, order "
                       "is kept",
                .example = "\"20ms\"",
                .fallback = "not at all"},
               {.name = "rate",
                .forms = {plain(Kind::kRate)},
                .doc = "how fast octets of a stream go on, each way",
                .example = "\"1mbit\"",
                .fallback = "no limit"}}};
}

}  // namespace netrig::format_parts
