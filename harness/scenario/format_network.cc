// The format's table: the network, its rules and events.
#include "harness/scenario/format_forms.h"

namespace netrig::format_parts {

using namespace forms;

ObjectFormat network() {
  return {.part = Part::kNetwork,
          .name = "network",
          .title = "the network",
          .doc =
              "Faults by direction. Where several keys meet a direction, `\"a -> b\"` wins over "
              "`\"a <-> b\"`, and that over `\"*\"`, key by key.",
          .keys = {{.name = "*",
                    .forms = {object(Part::kLink)},
                    .doc = "every direction between different hosts"},
                   {.name = "rules",
                    .forms = {list_of({object(Part::kRule)})},
                    .doc = "what happens to certain packets"},
                   {.name = "events",
                    .forms = {list_of({object(Part::kEvent)})},
                    .doc = "what changes while it runs, at instants of the run's time"},
                   {.name = "capture",
                    .forms = {choice({"delivered", "sent"})},
                    .doc = "`sent`: packets are captured when they are sent, before the network "
                           "decides, so that dropped ones are seen, with their fate as comment "
                           "(backends fake and wire)",
                    .example = "\"sent\"",
                    .fallback = "\"delivered\""},
                   {.name = "tcp_ecn",
                    .forms = {plain(Kind::kBoolean)},
                    .doc = "TCP connections ask for explicit congestion notification (RFC 3168), "
                           "as with the sysctl `tcp_ecn` at 1",
                    .example = "true",
                    .fallback = "only who is asked agrees to it"},
                   {.name = "congestion",
                    .forms = {choice({"reno", "cubic"})},
                    .doc = "the congestion control of TCP's connections for which nobody chooses "
                           "another (`TCP_CONGESTION`), programs' too; the result tells what was "
                           "used",
                    .example = "\"cubic\"",
                    .fallback = "\"reno\""},
                   {.name = "segments",
                    .forms = {choice({"exact", "offloaded"})},
                    .doc = "`exact`: on wire, too, the kernel cuts what TCP sends into packets "
                           "itself, as on the other backends, for tests that judge how; slower",
                    .example = "\"exact\"",
                    .fallback = "\"offloaded\""},
                   {.name = "A -> B",
                    .forms = {object(Part::kLink)},
                    .doc = "from host A to host B; `\"A <-> B\"`: both ways",
                    .example = "{ \"loss\": \"10%\" }",
                    .pattern = KeyPattern::kLink}}};
}

ObjectFormat rule() {
  return {.part = Part::kRule,
          .name = "rule",
          .title = "a network rule",
          .doc = "What happens to certain packets of one direction.",
          .keys = {{.name = "on",
                    .forms = {plain(Kind::kDirection)},
                    .doc = "the direction",
                    .example = "\"client -> server\"",
                    .required = true},
                   {.name = "match",
                    .forms = {choice({"tcp", "udp", "unix", "unix_dgram", "unix_seqpacket"}),
                              object(Part::kRuleMatch)},
                    .doc = "packets of this transport, or more exactly",
                    .example = "\"udp\"",
                    .fallback = "all"},
                   {.name = "nth",
                    .forms = {integer(1), list_of({integer(1)}, 1)},
                    .doc = "of the packets that match, these, counted from 1",
                    .example = "[3, 4]",
                    .fallback = "all"},
                   {.name = "every",
                    .forms = {integer(1)},
                    .doc = "the count begins anew after so many; without `nth` the last of them is "
                           "meant",
                    .example = "10"},
                   {.name = "per",
                    .forms = {choice({"direction", "flow"})},
                    .doc = "`flow`: packets of each flow are counted apart",
                    .example = "\"flow\"",
                    .fallback = "\"direction\""},
                   {.name = "do",
                    .forms = {choice({"drop", "duplicate", "corrupt", "reorder", "mark"}),
                              object(Part::kRuleDelay)},
                    .doc = "what happens to them; `mark`: ECN-capable packets get the mark CE",
                    .example = "\"drop\"",
                    .required = true}}};
}

ObjectFormat rule_delay() {
  return {.part = Part::kRuleDelay,
          .name = "rule_delay",
          .title = "a delay",
          .doc = "Delays the packet, on top of the link's `delay`.",
          .keys = {{.name = "delay",
                    .forms = {duration()},
                    .doc = "by so long",
                    .example = "\"20ms\"",
                    .required = true}}};
}

ObjectFormat rule_match() {
  return {.part = Part::kRuleMatch,
          .name = "rule_match",
          .title = "packets of a rule",
          .doc =
              "What a packet must be for a rule to match and count it; all that is said must "
              "hold. These words mean the same packets in every world.",
          .keys = {{.name = "transport",
                    .forms = {choice({"tcp", "udp", "unix", "unix_dgram", "unix_seqpacket"})},
                    .doc = "its transport",
                    .example = "\"udp\""},
                   {.name = "port",
                    .forms = {integer(1, 65'535)},
                    .doc = "the port of its flow's service, whichever way it goes",
                    .example = "53"},
                   {.name = "flow",
                    .forms = {integer(1)},
                    .doc = "its flow, the how-manieth with this service on this direction: 2 is "
                           "the second client, or connection",
                    .example = "2"},
                   {.name = "size",
                    .forms = {count_range()},
                    .doc = "its octets of payload",
                    .example = "\"1..\""}},
          .at_least_one = true};
}

ObjectFormat event() {
  const KeyFormat at = {.name = "at",
                        .forms = {duration()},
                        .doc = "when, from the start of the run's time",
                        .example = "\"200ms\"",
                        .required = true};
  return {
      .part = Part::kEvent,
      .name = "event",
      .title = "a network event",
      .doc =
          "What changes while the scenario runs. It holds for packets sent from then on; those "
          "under way arrive.",
      .head_word = "event",
      .variants = {
          {.head = {.name = "partition",
                    .forms = {list_of({name(), list_of({name()}, 1)}, 1)},
                    .doc = "hosts, or lists of hosts, that cannot reach each other from now on: "
                           "no packet passes, either way, between two elements"},
           .keys = {at,
                    {.name = "for",
                     .forms = {duration()},
                     .doc = "for so long",
                     .example = "\"1s\"",
                     .fallback = "until `heal`"}},
           .example = R"({ "at": "200ms", "partition": ["client", "server"], "for": "1s" })"},
          {.head = {.name = "heal",
                    .forms = {yes(), list_of({name(), list_of({name()}, 1)}, 1)},
                    .doc = "ends the partitions between these; `true`: all"},
           .keys = {at},
           .example = R"({ "at": "1s", "heal": true })"},
          {.head = {.name = "set",
                    .forms = {object(Part::kLinks)},
                    .doc = "what these links do from now on, key by key; what is not said stays"},
           .keys = {at},
           .example = R"({ "at": "1s", "set": { "client -> server": { "loss": "50%" } } })"}}};
}

ObjectFormat links() {
  return {.part = Part::kLinks,
          .name = "links",
          .title = "links to change",
          .doc = "Links by direction, as in the network.",
          .keys = {{.name = "*",
                    .forms = {object(Part::kLink)},
                    .doc = "every direction between different hosts"},
                   {.name = "A -> B",
                    .forms = {object(Part::kLink)},
                    .doc = "from host A to host B; `\"A <-> B\"`: both ways",
                    .example = "{ \"loss\": \"50%\" }",
                    .pattern = KeyPattern::kLink}},
          .at_least_one = true};
}

}  // namespace netrig::format_parts
