#pragma once
// The steps of an actor: verbs, what each is given, modifiers. See model.h.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/errno.h"
#include "harness/base/time.h"
#include "harness/scenario/model_values.h"
#include "harness/sockets/socket_api.h"

namespace netrig {

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

}  // namespace netrig
