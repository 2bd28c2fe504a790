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
#include <variant>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/base/digest.h"
#include "harness/base/errno.h"
#include "harness/base/quantity.h"
#include "harness/base/time.h"
#include "harness/link/link.h"
#include "harness/net/endpoint.h"
#include "harness/scenario/source.h"
#include "harness/sockets/socket_api.h"

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

// ---------------------------------------------------------------- steps

struct OptionSetting {  // "SO_SNDBUF": 4096
  Location at;
  std::string name;
  std::variant<Number, Bytes, LingerOption> value;  // Bytes: TCP_CONGESTION
};

enum class Verb : uint8_t {
  kSend,
  kRecv,
  kEof,
  kCollect,
  kSocket,
  kBind,
  kListen,
  kAccept,
  kConnect,
  kRead,
  kWrite,
  kSendTo,
  kRecvFrom,
  kSendMsg,
  kRecvMsg,
  kShutdown,
  kClose,
  kReset,
  kGetOption,
  kSetOption,
  kLocalAddress,
  kPeerAddress,
  kPoll,
  kPair,
  kSleep,
  kBarrier,
  kRepeat,
  kFor,
  kTogether,
};
std::string_view verb_name(Verb verb);  // "send_to"

struct Step;
using Steps = std::vector<Step>;

struct NoArguments {};              // eof accept close reset
struct SendArguments {              // send write send_to send_msg
  Payload payload;                  // send_msg: a list is one part an element
  std::optional<Target> to;         // send_to, send_msg
  std::vector<std::string> rights;  // send_msg: names of sockets to pass (SCM_RIGHTS)
  bool credentials = false;         // send_msg: SCM_CREDENTIALS of this process
};
struct RecvArguments {  // recv
  Matcher matcher;
};
struct CollectArguments {  // collect: until one of these, or end of stream
  Matcher matcher;         // for every message
  std::optional<Duration> idle;
  std::optional<Number> count;
  std::optional<Duration> time;
};
struct ReadArguments {                     // read recv_from recv_msg
  std::vector<Number> sizes;               // recv_msg: one buffer each; otherwise exactly one
  std::optional<Matcher> data;             // what was read
  std::optional<Target> from;              // recv_from, recv_msg
  std::vector<std::string> message_flags;  // recv_msg: MSG_ names that must be set on return
  std::vector<std::string> rights;         // recv_msg: names for the sockets received
  bool credentials = false;                // recv_msg: must carry the sender's credentials
};
struct SocketArguments {  // socket pair
  int domain = 0;         // AF_
  int type = 0;           // SOCK_
  int protocol = 0;
};
struct BindArguments {
  Address address;
};
struct ListenArguments {
  Number backlog;
};
struct ConnectArguments {
  Target target;
};
struct ShutdownArguments {
  int how = 0;
};  // SHUT_
struct GetOptionArguments {
  std::string name;
  std::optional<Bytes> text;
};  // text: TCP_CONGESTION
struct SetOptionArguments {
  std::vector<OptionSetting> options;
};
struct AddressArguments {           // local_address peer_address
  std::optional<Template> text;     // "10.0.0.1:80" as Endpoint::to_string prints it
  std::optional<Template> address;  // only the IP address
  std::optional<Range<int64_t>> port;
};
struct PollArguments {
  struct Entry {
    Location at;
    std::string socket;
    short events = 0;
    std::optional<short> ready;  // exactly these revents
  };
  std::vector<Entry> entries;
  std::optional<Duration> timeout;  // empty: for ever
};
struct SleepArguments {
  Duration duration{};
};
struct BarrierArguments {
  std::string name;
};
struct RepeatArguments {
  Number times;
  std::optional<Duration> every;  // from one anchor, without drift
  Steps steps;
};
struct ForArguments {
  std::string variable;
  std::vector<std::variant<int64_t, Template>> values;
  Steps steps;
};
struct TogetherArguments {
  std::vector<Steps> branches;
};

struct Step {
  Location at;        // the verb's key, underlined
  Location value_at;  // the verb's value
  std::string path;   // "client.2", "client.3.1": actor, then positions from 1
  Verb verb = Verb::kSend;
  std::variant<NoArguments, SendArguments, RecvArguments, CollectArguments, ReadArguments,
               SocketArguments, BindArguments, ListenArguments, ConnectArguments, ShutdownArguments,
               GetOptionArguments, SetOptionArguments, AddressArguments, PollArguments,
               SleepArguments, BarrierArguments, RepeatArguments, ForArguments, TogetherArguments>
      arguments;

  // modifiers
  std::string on;               // empty: the current socket
  std::vector<std::string> as;  // names of what it makes (two for pair)
  std::optional<Duration> within;
  std::optional<Duration> after;
  std::optional<Range<int64_t>> returns;  // an errno's name for SO_ERROR was made a number
  Location returns_at;
  std::vector<Errno> errors;  // one of these must be the answer; empty: success
  Location error_at;
  std::optional<Save> save;
  bool exported = false;
  bool nonblocking = false;
  int flags = 0;  // MSG_ bits
  std::string note;
  std::vector<std::string> spec;  // requirements that it checks
};

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
  std::map<std::string, PacketKind> packets;
  std::vector<Expectation> expectations;
};

const Actor* find_actor(const Scenario& scenario, std::string_view name);  // null: there is none
const Process* find_process(const Scenario& scenario, std::string_view name);
const Relay* find_relay(const Scenario& scenario, std::string_view name);
// The host of the actor, process or relay of that name; "" if there is none.
const std::string& host_of(const Scenario& scenario, std::string_view name);

}  // namespace netrig
