// The format's table: kinds of packets, and what must hold of a finished run.
#include "harness/base/signal_names.h"
#include "harness/scenario/format_forms.h"

namespace netrig::format_parts {

using namespace forms;

ObjectFormat packets() {
  return {
      .part = Part::kPackets,
      .name = "packets",
      .title = "kinds of packets",
      .doc =
          "Names for tcpdump filters, see pcap-filter(7). `syn`, `syn_ack`, `ack`, `fin`, `reset`, "
          "`data`, `retransmission`, `tcp`, `udp` and `icmp` are built in, and work on IPv6 too "
          "(the packets that stand for Unix sockets are `tcp` and `udp` as well).",
      .keys = {{.name = "NAME",
                .forms = {template_text()},
                .doc = "a tcpdump filter",
                .example = "\"dst port ${server.port}\"",
                .pattern = KeyPattern::kText}}};
}

namespace {

std::vector<KeyFormat> ranges(std::initializer_list<std::pair<const char*, const char*>> keys,
                              const Form& form) {
  std::vector<KeyFormat> formats;
  for (const auto& [name, doc] : keys) {
    formats.push_back({.name = name, .forms = {form}, .doc = doc});
  }
  return formats;
}

std::vector<Variant> capture_expectations() {
  return {
      {.head = {.name = "capture",
                .forms = {text()},
                .doc = "packets of this kind: a name of `packets` or a built-in one"},
       .keys = ranges({{"count", "how many"}, {"bytes", "octets of payload in all of them"}},
                      count_range()),
       .example = R"({ "capture": "push", "count": 2, "bytes": 16 })",
       .needs_own = true},
      {.head = {.name = "order",
                .forms = {list_of({text()}, 1)},
                .doc = "packets of these kinds were seen in this order, others between them"},
       .example = R"({ "order": ["syn", "syn_ack", "fin", "fin"] })"},
      {.head = {.name = "time",
                .forms = {list_of({text()}, 2, 2)},
                .doc = "from the first packet of one kind to the next of the other"},
       .keys = {{.name = "is", .forms = {duration_range()}, .doc = "how long", .required = true}},
       .example = R"({ "time": ["syn", "syn_ack"], "is": "..5ms" })"},
  };
}

std::vector<Variant> run_expectations() {
  return {
      {.head = {.name = "delivery",
                .forms = {plain(Kind::kDirection)},
                .doc = "what the network did with the datagrams of this direction"},
       .keys = ranges({{"sent", "sent by the sender"},
                       {"delivered", "handed to the receiver at least once"},
                       {"lost", "never handed to the receiver"},
                       {"reordered", "handed over after one that was sent later"},
                       {"duplicated", "handed over twice"},
                       {"corrupted", "changed on the way"}},
                      count_range()),
       .example = R"({ "delivery": "client -> server", "sent": 1000, "delivered": "852..948" })",
       .needs_own = true},
      {.head = {.name = "latency",
                .forms = {plain(Kind::kDirection)},
                .doc = "how long the datagrams of this direction were under way"},
       .keys = ranges({{"min", "the shortest"},
                       {"p50", "the median"},
                       {"p90", "9 of 10 are not longer"},
                       {"p99", "99 of 100 are not longer"},
                       {"max", "the longest"}},
                      duration_range()),
       .example = R"({ "latency": "client -> server", "p50": "15ms..25ms", "max": "..60ms" })",
       .needs_own = true},
      {.head = {.name = "connections", .forms = {name()}, .doc = "the connections of this actor"},
       .keys = ranges({{"accepted", "that it accepted"},
                       {"connected", "that it made"},
                       {"open_at_end", "that it had not closed at the end"}},
                      count_range()),
       .example = R"({ "connections": "server", "accepted": 50, "open_at_end": 0 })",
       .needs_own = true},
      {.head =
           {.name = "stream",
            .forms = {plain(Kind::kFlow)},
            .doc = "the octets of one direction of a connection, reassembled from the capture; for "
                   "`netrig verify` two addresses, `\"10.0.0.1:40000 -> 10.0.0.2:80\"`"},
       .keys = {{.name = "connection",
                 .forms = {integer(1)},
                 .doc = "which connection between the two, counted from 1",
                 .fallback = "1"},
                {.name = "is",
                 .forms = forms::matcher(),
                 .doc = "what they must be",
                 .required = true}},
       .example = R"({ "stream": "client -> server", "is": { "prefix": "GET " } })"},
      {.head = {.name = "process",
                .forms = {name()},
                .doc = "how this process ended, and what it printed"},
       .keys = {{.name = "exit",
                 .forms = {bounded(Kind::kIntegerRange, 0, 255), choice({"any"}),
                           choice(signal_names())},
                 .doc = "its exit status, or the signal that killed it",
                 .example = "0"},
                {.name = "stdout",
                 .forms = forms::matcher(),
                 .doc = "all that it wrote to its stdout",
                 .example = R"({ "contains": "ready" })"},
                {.name = "stderr",
                 .forms = forms::matcher(),
                 .doc = "all that it wrote to its stderr",
                 .example = "\"\""}},
       .example = R"({ "process": "client", "exit": 0, "stdout": "Hello from server!\n" })",
       .needs_own = true},
  };
}

}  // namespace

ObjectFormat expectation() {
  ObjectFormat format = {.part = Part::kExpectation,
                         .name = "expectation",
                         .title = "an expectation",
                         .doc = "One kind, first in its object, and what must hold of it.",
                         .head_word = "kind of expectation",
                         .variants = capture_expectations()};
  for (Variant& variant : run_expectations()) format.variants.push_back(std::move(variant));
  format.keys = {{.name = "spec",
                  .forms = {list_of({text()}, 1)},
                  .doc = "the requirements that this checks, for `--conformance`",
                  .example = "[\"RFC 9293 3.5\"]"}};
  for (Variant& variant : format.variants) variant.shared = {"spec"};
  return format;
}

}  // namespace netrig::format_parts
