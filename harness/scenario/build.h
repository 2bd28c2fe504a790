#pragma once
// The functions that turn parts of the located tree into parts of the model; one file a theme. Each
// takes any node (see reading.h) and answers a value in any case. Only the reader's files include
// this.

#include "harness/scenario/matrix.h"
#include "harness/scenario/model.h"
#include "harness/scenario/node.h"
#include "harness/scenario/reading.h"

namespace netrig {

// ---- build_values.cc: what single values mean
std::string build_text(Reading& reading, const Node& node);  // no variable of the run in it
std::vector<std::string> build_texts(Reading& reading, const Node& node);  // one, or a list
Template build_template(Reading& reading, const Node& node);
bool build_boolean(Reading& reading, const Node& node);
int64_t build_integer(Reading& reading, const Node& node, int64_t low, int64_t high);
Number build_number(Reading& reading, const Node& node);
Number build_size(Reading& reading, const Node& node);
Duration build_duration(Reading& reading, const Node& node);
Range<Duration> build_duration_range(Reading& reading, const Node& node);
Range<int64_t> build_integer_range(Reading& reading, const Node& node);
std::optional<Errno> build_errno(Reading& reading, const Node& node);
const Node* value_of(const Node& object, std::string_view key);  // null if absent

// ---- build_payload.cc, build_matcher.cc
Payload build_payload(Reading& reading, const Node& node);
// An element of a list: a checksum is that of reading.parts_before elements before it.
Payload build_payload_part(Reading& reading, const Node& node);
bool is_payload_object(const Node& node);
Save build_save(Reading& reading, const Node& node);
Matcher build_matcher(Reading& reading, const Node& node);
Regex build_pattern(Reading& reading, const Node& node);  // its groups keep nothing

// ---- build_address.cc
enum class TargetUse : uint8_t {
  kReach,   // to connect or send to: an actor must have a service, an address a port or a path
  kOrigin,  // to compare a sender with
};
Address build_address(Reading& reading, const Node& node);
Target build_target(Reading& reading, const Node& node, TargetUse use);

// ---- build_options.cc
std::vector<OptionSetting> build_options(Reading& reading, const Node& node);
std::string build_option_name(Reading& reading, const Node& node);
int build_flags(Reading& reading, const Node& node);
SocketArguments build_socket_type(Reading& reading, const Node& node);
PollArguments build_poll(Reading& reading, const Node& node, const Node* timeout);

// ---- build_steps.cc, build_arguments.cc
Steps build_steps(Reading& reading, const Node& node, const std::string& path);
void build_arguments(Reading& reading, const Node& node, Step& step, const Node& value);

// ---- build_actor.cc
Actor build_actor(Reading& reading, const Member& member);

// ---- build_programs.cc
// In an order in which each comes behind those it is `after`.
std::vector<Process> build_processes(Reading& reading, const Node& node);
std::vector<Relay> build_relays(Reading& reading, const Node& node);
ExitCondition build_exit(Reading& reading, const Node& node);

// ---- build_head.cc: what the file says of the scenario as a whole
Level build_level(const Node& node);
std::vector<NeededProgram> build_needs(Reading& reading, const Node& node);
ExpectedFailure build_expected_failure(Reading& reading, const Node& node);
// `row` of an expected failure: it is about this row and has no such key any more, or it is gone.
void settle_expected_failure(Node& root, const MatrixRow& row, std::vector<Diagnostic>& mistakes);

// ---- build_network.cc
std::vector<LinkSpec> build_network(Reading& reading, const Node& node);

// ---- build_expect.cc
std::map<std::string, PacketKind> build_packets(Reading& reading, const Node& node);
// `in_run`: false for expectations of a capture alone, of which fewer kinds can be checked.
std::vector<Expectation> build_expectations(Reading& reading, const Node& node,
                                            const std::map<std::string, PacketKind>& packets,
                                            bool in_run);

}  // namespace netrig
