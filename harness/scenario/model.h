#pragma once
// A scenario as plain values: what the reader makes of a file and everything above reads. Every
// element knows its place in the file. Shorthands, `vars` and `ladder` are gone here (the reader
// expanded them); what is left for the run are templates with names that only a run knows (${i},
// ${server.port}, saved values). Nothing here opens a socket or knows a backend.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/quantity.h"
#include "harness/base/time.h"
#include "harness/link/link.h"
#include "harness/scenario/model_steps.h"
#include "harness/scenario/model_values.h"
#include "harness/scenario/source.h"

namespace netrig {

// ---------------------------------------------------------------- actors, network, expectations

enum class Opening : uint8_t { kNone, kListen, kBind, kConnect };

struct Actor {
  Location at;
  std::string name;
  std::string host;  // by default its own name
  int64_t count = 1;
  Opening opening = Opening::kNone;
  Address address;              // listen, bind
  Target target;                // connect
  std::optional<Address> from;  // connect: bind here first
  int64_t backlog = 128;
  std::vector<OptionSetting> options;  // set before bind, listen or connect
  Steps steps;                         // empty if `each` is set
  Steps each;
  Location each_at;
  bool has_each = false;
  int64_t at_once = 0;  // each: how many connections are served side by side; 0 all
  bool ignore_leftover = false;
  // How often it is started at one barrier is `count`; inside `each` a barrier is a mistake.
};

// ---------------------------------------------------------------- programs and relays

// When a program counts as ready: all that is set must hold. Nothing set: once it has started.
struct ReadyCondition {
  Location at;
  std::vector<Address> listening;  // its own processes wait for peers there
  std::optional<Regex> log;        // a line of its output matches this somewhere
  Duration within{10s};
};

// How a process must have ended: with an exit status of the range, or by the signal.
struct ExitCondition {
  Location at;
  std::optional<Range<int64_t>> status;
  std::string signal;  // "SIGSEGV"; neither: however it ended
};

struct Process {
  Location at;
  std::string name;
  std::string host;  // by default its own name
  std::vector<Template> run;
  Location run_at;
  std::vector<std::pair<std::string, Template>> environment;
  struct File {
    Location at;
    std::string path;  // below the run's ${tmp}, no ".." in it
    Payload content;
  };
  std::vector<File> files;
  std::optional<Payload> input;
  ReadyCondition ready;
  std::vector<std::string> after;  // processes that must be ready before it starts
  int stop_signal = 15;            // SIGTERM
  Duration stop_within{5s};
  // It ends by itself, so, and the run waits for that; empty: it serves until it is stopped.
  std::optional<ExitCondition> exits;
  std::optional<int64_t> output_max;  // octets of each of its streams
};

// Forwards what comes to `address`, both ways.
struct Relay {
  Location at;
  std::string name;
  std::string host;
  Address address;
  Target to;
  std::optional<Range<int64_t>> chop;  // octets of a piece of a stream
  Range<Duration> delay{Duration{0}, Duration{0}};
  uint64_t rate = 0;  // bits per second; 0: no limit
};

struct LinkSpec {
  Location at;
  std::string from, to;  // hosts
  LinkConfig config;
};

struct CountRange {  // an integer range and where it stands
  Location at;
  Range<int64_t> range;
};
struct TimeRange {
  Location at;
  Range<Duration> range;
};

struct CaptureExpectation {
  std::string packets;  // a name of `packets` or a built-in one
  std::optional<CountRange> count;
  std::optional<CountRange> bytes;  // octets of transport payload, all packets together
};
struct OrderExpectation {  // these kinds of packet, in this order, others between ignored
  std::vector<std::string> packets;
  std::vector<Location> places;
};
struct TimeExpectation {  // first packet of one kind to the next of the other
  std::string from, to;
  TimeRange is;
};
struct DeliveryExpectation {
  std::string from, to;                      // hosts
  std::map<std::string, CountRange> counts;  // sent delivered lost reordered duplicated corrupted
};
struct LatencyExpectation {
  std::string from, to;
  std::map<std::string, TimeRange> quantiles;  // p50 p90 p99 max min
};
struct ConnectionsExpectation {
  std::string actor;
  std::map<std::string, CountRange> counts;  // accepted, open_at_end, connected, refused
};
struct StreamExpectation {  // reassembled from the capture
  std::string from, to;     // hosts
  int64_t connection = 1;   // the how-manieth between the two
  Matcher is;
};

struct ProcessExpectation {
  std::string process;
  std::optional<ExitCondition> exit;
  std::optional<Matcher> out, errors;  // the whole of its stdout, its stderr
};

struct Expectation {
  Location at;  // the kind's key, underlined
  std::variant<CaptureExpectation, OrderExpectation, TimeExpectation, DeliveryExpectation,
               LatencyExpectation, ConnectionsExpectation, StreamExpectation, ProcessExpectation>
      what;
  std::vector<std::string> spec;  // requirements that it checks
};

struct PacketKind {  // "push": "tcp[tcpflags] & tcp-push != 0"
  Location at;
  Template filter;
};

struct Skip {
  Location at;
  std::string reason;
};

// A program that must be there, and the Debian package that has it ("": not known).
struct NeededProgram {
  Location at;
  std::string program;
  std::string package;
};

struct ExpectedFailure {
  Location at;
  std::string reason;
  std::set<std::string> backends;  // empty: on every one
};

// RFC 2119, section 1 to 5.
enum class Level : uint8_t { kMust, kShould, kMay };
std::string_view level_name(Level level);  // "must"

struct Scenario {
  std::shared_ptr<const SourceFile> source;
  std::string id;  // from the file's name, fit for a folder: "udp-loss"
  std::string name;
  std::string about;
  std::vector<std::string> tags;
  std::set<std::string> backends;  // empty: every one
  std::vector<NeededProgram> needs;
  std::optional<Skip> skip;
  std::optional<ExpectedFailure> expected_failure;
  Level level = Level::kMust;
  std::vector<std::string> spec;  // requirements that it checks as a whole
  // This row of the matrix, empty without one: its name ("transport=unix,loss=5%") and what --set
  // takes to have it again, environment variables included.
  std::string row;
  std::vector<std::pair<std::string, std::string>> settings;
  uint64_t seed = 1;
  std::optional<Duration> timeout;  // of the whole run
  std::vector<std::string> hosts;   // in order of first mention
  std::vector<Actor> actors;        // in the file's order
  std::vector<Process> processes;   // in an order in which each comes behind those it is `after`
  std::vector<Relay> relays;
  std::vector<LinkSpec> links;  // every directed pair that has a fault, no pair twice
  bool capture_sent = false;    // packets are captured before the links, dropped ones too
  bool tcp_ecn = false;         // connections ask for ECN, as with the sysctl at 1
  std::string congestion;       // TCP's algorithm where nobody chooses another; empty: reno
  bool exact_segments = false;  // the kernel hands over no packet larger than the MTU
  std::map<std::string, PacketKind> packets;
  std::vector<Expectation> expectations;
};

const Actor* find_actor(const Scenario& scenario, std::string_view name);  // null: there is none
const Process* find_process(const Scenario& scenario, std::string_view name);
const Relay* find_relay(const Scenario& scenario, std::string_view name);
// The host of the actor, process or relay of that name; "" if there is none.
const std::string& host_of(const Scenario& scenario, std::string_view name);

}  // namespace netrig
