#pragma once
// The stages that turn shorthands of the tree into their long form, which `netrig show --expanded`
// prints. Each leaves a tree that is written in the same format and does not change when expanded
// again. They shrug at what is malformed, which the table's check tells.

#include <vector>

#include "harness/scenario/node.h"

namespace netrig {

inline constexpr size_t kLinksMax = 10'000;         // directed pairs of hosts with a fault
inline constexpr size_t kLinkChangesMax = 100'000;  // by all events together

// `ladder` becomes steps of its actors and rules of the network. Each rung is a send, a receive and
// a barrier of both ends and of who acts next. A datagram with a flight time (`takes`) is received
// when it has arrived: before the first later rung whose sender is its receiver, and in order of
// arrival. `sound`: the table's check found nothing, so that what is missing is truly missing.
void expand_ladder(Node& root, bool sound, std::vector<Diagnostic>& mistakes);

// Services without a port get 5001, 5002, ... in the file's order, without numbers that the file
// uses, or 0 with `kernel_ports`; Unix sockets without a path get "${tmp}/ACTOR.sock".
void fill_in_addresses(Node& root, bool kernel_ports, std::vector<Diagnostic>& mistakes);

// "*" and "a <-> b" become one "a -> b" a direction, in the network and in what its events set.
void expand_network(Node& root, std::vector<Diagnostic>& mistakes);

// Nodes for what an expansion writes; `at` is the place in the file that asked for it.
Node text_node(std::string text, Location at);
Node integer_node(int64_t value, Location at);
Node object_node(std::vector<Member> members, Location at);
Node array_node(std::vector<Node> elements, Location at);

}  // namespace netrig
