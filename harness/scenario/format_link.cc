// The format's table: what a link does to packets, by the names of tc-netem(8).
#include "harness/scenario/format_forms.h"

namespace netrig::format_parts {

using namespace forms;

namespace {

constexpr int64_t kQueueOctetsMax = int64_t{1} << 40;

KeyFormat correlation(std::string beside) {
  return {.name = "correlation",
          .forms = {probability()},
          .doc = "how much of its chance a packet shares with the one before it in its flow",
          .example = "\"25%\"",
          .fallback = "0%",
          .needs = std::move(beside)};
}

KeyFormat chance(std::string name, std::string doc, std::string fallback = "0%") {
  return {.name = std::move(name),
          .forms = {probability()},
          .doc = std::move(doc),
          .example = "\"5%\"",
          .fallback = std::move(fallback)};
}

}  // namespace

ObjectFormat link() {
  return {
      .part = Part::kLink,
      .name = "link",
      .title = "a link",
      .doc =
          "What happens to packets in one direction, by the names of tc-netem(8) where it has "
          "them. Memory (`correlation`, bursts, `gap`) is kept for each flow alone, so that "
          "every world draws the same.",
      .keys = {{.name = "delay",
                .forms = {duration_range(), object(Part::kDelay)},
                .doc = "how long a packet is under way; a range is drawn from uniformly",
                .example = "\"15ms..25ms\"",
                .fallback = "0s"},
               {.name = "loss",
                .forms = {probability(), object(Part::kLoss)},
                .doc = "dropped",
                .example = "\"10%\"",
                .fallback = "0%"},
               {.name = "duplicate",
                .forms = {probability(), object(Part::kChance)},
                .doc = "delivered twice",
                .example = "\"1%\"",
                .fallback = "0%"},
               {.name = "corrupt",
                .forms = {probability(), object(Part::kChance)},
                .doc = "one bit flipped",
                .example = "\"0.1%\"",
                .fallback = "0%"},
               {.name = "reorder",
                .forms = {probability(), object(Part::kReorder)},
                .doc = "held back until a later packet has passed",
                .example = "\"5%\"",
                .fallback = "0%"},
               {.name = "rate",
                .forms = {plain(Kind::kRate), object(Part::kRate)},
                .doc = "bits per second",
                .example = "\"10mbit\"",
                .fallback = "no limit"},
               {.name = "trace",
                .forms = {text()},
                .doc = "in place of a rate, a file as Mahimahi's mm-link has them: each line a "
                       "millisecond at which 1500 octets can leave; begins anew at its end; in the "
                       "scenario's folder",
                .example = "\"lte.trace\""},
               {.name = "queue",
                .forms = {integer(1, 1'000'000), bounded(Kind::kSize, 1, kQueueOctetsMax),
                          duration(), object(Part::kQueue)},
                .doc = "what may wait for `rate` or `trace`: packets (an integer), octets "
                       "(`\"64KiB\"`), or how long one may wait (`\"50ms\"`); what finds no room "
                       "is dropped",
                .example = "100",
                .fallback = std::to_string(kDefaultQueuePackets)},
               {.name = "mtu",
                .forms = {integer(576, 65'535)},
                .doc = "octets of the largest IP packet of TCP; its sender is told by ICMP when "
                       "one is larger",
                .example = "1280",
                .fallback = "1500"}},
      .at_most_one = {{"rate", "trace"}}};
}

ObjectFormat delay_distribution() {
  return {.part = Part::kDelay,
          .name = "delay_distribution",
          .title = "a delay by a distribution",
          .doc =
              "netem's `delay MEAN JITTER CORRELATION distribution NAME`: the delay is the mean "
              "plus the jitter times a value of the distribution, never less than nothing. It "
              "does not reorder.",
          .keys = {{.name = "mean",
                    .forms = {duration()},
                    .doc = "the delay around which it varies",
                    .example = "\"20ms\"",
                    .required = true},
                   {.name = "jitter",
                    .forms = {duration()},
                    .doc = "how far it varies",
                    .example = "\"5ms\"",
                    .required = true},
                   {.name = "distribution",
                    .forms = {choice({"uniform", "normal", "pareto", "paretonormal", "table"})},
                    .doc = "`uniform`: up to the jitter either way. `normal`: the jitter is the "
                           "standard deviation. `pareto`: from 2/3 of the jitter below the mean, "
                           "with a heavy tail (shape 3) above. `paretonormal`: three quarters of "
                           "that and one of normal. `table`: as the file says",
                    .example = "\"pareto\"",
                    .fallback = "\"normal\""},
                   correlation(""),
                   {.name = "table",
                    .forms = {text()},
                    .doc = "a file as iproute2's `normal.dist`: quantiles in 1/8192 of the jitter; "
                           "in the scenario's folder",
                    .example = "\"experimental.dist\""}}};
}

ObjectFormat loss() {
  return {.part = Part::kLoss,
          .name = "loss_with_memory",
          .title = "a loss with memory",
          .doc = "How packets are lost that hang together.",
          .keys = {chance("random", "each packet with this probability; netem's `loss random`"),
                   correlation("random"),
                   {.name = "gemodel",
                    .forms = {object(Part::kGemodel)},
                    .doc = "bursts by a channel that is good or bad, after Gilbert and Elliott",
                    .example = "{ \"good_to_bad\": \"1%\", \"bad_to_good\": \"25%\" }"},
                   {.name = "state",
                    .forms = {object(Part::kLossState)},
                    .doc = "a Markov chain of four states: 1 delivered, 2 delivered within a "
                           "burst, 3 lost within a burst, 4 lost alone",
                    .example = "{ \"p13\": \"1%\", \"p31\": \"30%\", \"p32\": \"10%\" }"}},
          .at_least_one = true,
          .at_most_one = {{"random", "gemodel", "state"}}};
}

ObjectFormat gemodel() {
  KeyFormat to_bad = chance("good_to_bad", "that the channel turns bad behind a packet; netem's p");
  to_bad.required = true;
  KeyFormat to_good =
      chance("bad_to_good", "that it turns good again; netem's r: a bad time lasts 1/r packets");
  to_good.required = true;
  return {
      .part = Part::kGemodel,
      .name = "gemodel",
      .title = "a channel of Gilbert and Elliott",
      .doc = "netem's `loss gemodel p r 1-h 1-k`. It is good at first.",
      .keys = {to_bad, to_good, chance("loss_in_bad", "lost in a bad time; netem's 1-h", "100%"),
               chance("loss_in_good", "lost in a good time; netem's 1-k")}};
}

ObjectFormat loss_state() {
  KeyFormat p13 = chance("p13", "that a burst of losses begins");
  p13.required = true;
  return {.part = Part::kLossState,
          .name = "loss_state",
          .title = "a loss by four states",
          .doc =
              "netem's `loss state p13 p31 p32 p23 p14`: probabilities of going from one state "
              "to another with the next packet. Begins in 1; 4 always goes to 1.",
          .keys = {p13, chance("p31", "that a burst ends", "100% - p13"),
                   chance("p32", "that packets are delivered within the burst"),
                   chance("p23", "that the burst's losses go on", "100%"),
                   chance("p14", "that one packet alone is lost")}};
}

ObjectFormat correlated_chance() {
  KeyFormat probability_key = chance("probability", "of each packet");
  probability_key.required = true;
  return {.part = Part::kChance,
          .name = "chance",
          .title = "a chance with memory",
          .doc = "A probability, and how much packets hang together.",
          .keys = {probability_key, correlation("")}};
}

ObjectFormat reorder() {
  return {.part = Part::kReorder,
          .name = "reordering",
          .title = "a reordering",
          .doc = "Which packets are reordered, and how.",
          .keys = {chance("probability", "of each packet that can be chosen", "100%"),
                   correlation("probability"),
                   {.name = "gap",
                    .forms = {integer(1, 1'000'000)},
                    .doc = "only a packet before which so many less one of its flow were not "
                           "chosen can be: with 100% each so-manieth is",
                    .example = "5",
                    .fallback = "1"},
                   {.name = "early",
                    .forms = {plain(Kind::kBoolean)},
                    .doc = "as netem does it: the packet is not held, but leaves without `delay`, "
                           "before those under way",
                    .example = "true",
                    .fallback = "false"}},
          .at_least_one = true};
}

ObjectFormat link_rate() {
  return {.part = Part::kRate,
          .name = "rate_with_overhead",
          .title = "a rate with overhead",
          .doc = "netem's `rate RATE PACKETOVERHEAD CELLSIZE CELLOVERHEAD`.",
          .keys = {{.name = "rate",
                    .forms = {plain(Kind::kRate)},
                    .doc = "bits per second",
                    .example = "\"10mbit\"",
                    .required = true},
                   {.name = "packet_overhead",
                    .forms = {integer(-1000, 100'000)},
                    .doc = "octets that each packet takes on top of its IP packet",
                    .example = "14",
                    .fallback = "0"},
                   {.name = "cell_size",
                    .forms = {integer(1, 1'000'000)},
                    .doc = "packets are sent in whole cells of so many octets",
                    .example = "48"},
                   {.name = "cell_overhead",
                    .forms = {integer(-1000, 100'000)},
                    .doc = "octets that each cell takes on top",
                    .example = "5",
                    .fallback = "0",
                    .needs = "cell_size"}}};
}

ObjectFormat queue() {
  return {.part = Part::kQueue,
          .name = "queue",
          .title = "a queue",
          .doc = "What may wait for the link's `rate` or `trace`, and who is dropped.",
          .keys = {{.name = "limit",
                    .forms = {integer(1, 1'000'000), bounded(Kind::kSize, 1, kQueueOctetsMax),
                              duration()},
                    .doc = "packets, octets, or how long one may wait",
                    .example = "\"64KiB\"",
                    .fallback = std::to_string(kDefaultQueuePackets)},
                   {.name = "discipline",
                    .forms = {choice({"tail_drop", "codel"})},
                    .doc = "`codel`: RFC 8289, drops packets whose turn comes while the queue is "
                           "too slow for too long; beyond the limit the last one is dropped in "
                           "any case",
                    .example = "\"codel\"",
                    .fallback = "\"tail_drop\""},
                   {.name = "target",
                    .forms = {duration()},
                    .doc = "codel: the wait that is acceptable",
                    .example = "\"5ms\"",
                    .fallback = "5ms"},
                   {.name = "interval",
                    .forms = {duration()},
                    .doc = "codel: how long the wait may be too long, about a round trip",
                    .example = "\"100ms\"",
                    .fallback = "100ms"},
                   {.name = "ecn",
                    .forms = {plain(Kind::kBoolean)},
                    .doc = "codel: packets that are ECN-capable get the mark CE instead of being "
                           "dropped (TCP with `tcp_ecn`; datagrams of a socket whose IP_TOS or "
                           "IPV6_TCLASS says ECT)",
                    .example = "true",
                    .fallback = "false"}},
          .at_least_one = true};
}

}  // namespace netrig::format_parts
