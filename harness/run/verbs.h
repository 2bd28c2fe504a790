#pragma once
// What each verb does: one function a verb, in one table (step_runner.cc). A verb acts and answers;
// whether the answer is the one that the step expects is judged in one place, for all of them.

#include <optional>
#include <string>
#include <vector>

#include "harness/run/actor_run.h"

namespace netrig {

struct Answer {
  int64_t returned = 0;              // octets, messages, an option's value
  std::optional<Errno> error;        // instead of success
  std::optional<Mismatch> mismatch;  // it succeeded, but with something else than expected
  std::vector<std::string> details;  // what is worth showing when the error was not expected
  Bytes data;                        // what `save` keeps
  std::optional<Finding> inner;      // a step inside this one failed (repeat, for, together)

  static Answer of(Errno error) { return {.error = error}; }
  static Answer wrong(std::string message, std::vector<std::string> details = {}) {
    return {.mismatch = Mismatch{std::move(message), std::move(details)}};
  }
};

// Where a verb runs: its actor, and the variables that it sees.
struct Branch {
  ActorRun& run;
  Scope& scope;
};

using VerbFunction = Answer (*)(Branch&, const Step&);

// verbs_message.cc
Answer do_send(Branch&, const Step&);
Answer do_recv(Branch&, const Step&);
Answer do_eof(Branch&, const Step&);
Answer do_collect(Branch&, const Step&);
// verbs_data.cc
Answer do_read(Branch&, const Step&);
Answer do_write(Branch&, const Step&);
Answer do_send_to(Branch&, const Step&);
Answer do_recv_from(Branch&, const Step&);
Answer do_send_msg(Branch&, const Step&);
Answer do_recv_msg(Branch&, const Step&);
// verbs_call.cc
Answer do_socket(Branch&, const Step&);
Answer do_pair(Branch&, const Step&);
Answer do_bind(Branch&, const Step&);
Answer do_listen(Branch&, const Step&);
Answer do_accept(Branch&, const Step&);
Answer do_connect(Branch&, const Step&);
Answer do_shutdown(Branch&, const Step&);
Answer do_close(Branch&, const Step&);
Answer do_reset(Branch&, const Step&);
// verbs_option.cc
Answer do_get_option(Branch&, const Step&);
Answer do_set_option(Branch&, const Step&);
Answer do_local_address(Branch&, const Step&);
Answer do_peer_address(Branch&, const Step&);
Answer do_poll(Branch&, const Step&);
// verbs_control.cc
Answer do_sleep(Branch&, const Step&);
Answer do_barrier(Branch&, const Step&);
Answer do_repeat(Branch&, const Step&);
Answer do_for(Branch&, const Step&);
Answer do_together(Branch&, const Step&);

// ---- verbs_shared.cc: what verbs and openings share

// The MSG_ bits of a step's calls.
int call_flags(const Step& step);

// Sets one option; the name is known (the reader checked it).
Result<void> apply_option(Branch& branch, Socket socket, const OptionSetting& setting);
// Where a target is: an actor's service (waited for until it is bound) or an address.
std::expected<Endpoint, std::string> resolve_target(Branch& branch, const Target& target);
// Domain, type and protocol of a transport.
SocketArguments socket_arguments(Transport transport, bool v6);
std::optional<Transport> transport_of(const SocketArguments& arguments);
// A socket of the transport that can have the endpoint as its own or as its peer.
Result<Socket> make_socket(SocketApi& api, Transport transport, const Endpoint& endpoint);
// Every step, those inside repeat, for and together too.
void for_each_step(const Steps& steps, const std::function<void(const Step&)>& visit);
// The address that the actor's opening or its first `bind` step names; null if it is nobody's
// service.
const Address* service_address(const Actor& actor);
// Where others reach the actor, process or relay of that name; null if nobody can.
const Address* find_service(const Scenario& scenario, std::string_view name);
// The service that others find under a name: ${name.port} and so on. `instance` sits there.
void announce_service(Stage& stage, const std::string& name, const std::string& instance,
                      const std::string& host, const Endpoint& local);
inline void announce_service(ActorRun& run, const Endpoint& local) {
  announce_service(run.stage, run.actor.name, run.name, run.actor.host, local);
}
// Where that service is, waited for until it is announced.
std::expected<Endpoint, std::string> service_endpoint(Stage& stage, const std::string& name);

// The names that a step keeps values under: by `save` and by named groups of its patterns.
std::vector<std::string> kept_names(const Step& step);
// Keeps a value under a name for the actor, and for all if the step exports it.
void keep_value(ActorRun& run, const Step& step, const std::string& name, Value value);
// Does a message fit the matcher? Named groups of its patterns are kept if it does.
std::optional<Mismatch> check_octets(Branch& branch, const Step& step, const Matcher& matcher,
                                     ByteView octets);

// ---- step_runner.cc

// Runs the steps in order; the first that does not go as it should is the answer.
std::optional<Finding> run_steps(Branch& branch, const Steps& steps);

}  // namespace netrig
