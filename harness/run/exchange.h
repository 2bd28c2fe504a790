#pragma once
// The exchange of one run: every actor of a scenario played on a world, until all have ended, one
// has found something wrong, everybody waits for what cannot come, or the time is over. It makes no
// world and writes no file; it judges steps and leftovers, not the capture.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/actor_run.h"
#include "harness/run/processes.h"
#include "harness/run/relays.h"
#include "harness/run/verbs.h"

namespace netrig {

class Exchange {
 public:
  struct Outcome {
    std::vector<Finding> findings;  // empty: everything went as the scenario says
    bool interrupted = false;
  };

  // All must outlive the exchange.
  Exchange(const Scenario& scenario, World& world, Journal& journal, uint64_t seed,
           Duration timeout, TimeScale time_scale = {});
  ~Exchange();

  // Plays it; once. World::finish() is called by it, and its report kept, so that what was under
  // way is counted before the leftovers are judged.
  Outcome play();
  // Ends play() soon; from a callback of the loop.
  void interrupt();

  const WorldReport& world_report() const { return report_; }
  std::string fingerprint() const;
  // How the programs ended and what they printed.
  const std::vector<ProcessOutcome>& process_outcomes() const { return process_outcomes_; }
  // "server.port" -> "5001" and so on, as text.
  std::map<std::string, std::string> variables() const;

 private:
  std::expected<Endpoint, std::string> resolve(const Address& address, const std::string& host,
                                               Variables& variables);
  IpAddress own_address(const Actor& actor) const;
  void promise_variables();
  void make_actors();
  void start_everything();
  bool open_services();
  void start_actors();
  void stop_processes();
  void play_actor(ActorRun& run);
  void serve_each(ActorRun& run);
  void serve_one(ActorRun& listener, const Accepted& accepted, int64_t number);
  bool everything_done();
  bool programs_send_without_end();
  void fail(Finding finding);
  void tell_who_waits(const std::string& message);
  void judge_leftovers();

  const Scenario& scenario_;
  World& world_;
  Journal& journal_;
  Blackboard blackboard_;
  Ledger ledger_;
  Stage stage_;
  Duration timeout_;
  Processes processes_;
  Relays relays_;
  std::vector<ProcessOutcome> process_outcomes_;
  std::vector<std::unique_ptr<ActorRun>> runs_;
  std::map<std::string, FiberId> acceptors_;  // `each` actors' fibers, which nobody waits for
  size_t working_ = 0;                        // fibers that have to end
  bool started_ = false;
  std::optional<Instant> done_since_;  // all fibers have ended, and only packets are waited for
  bool ended_ = false;                 // what the programs do now is their stopping
  Outcome outcome_;
  WorldReport report_;
};

}  // namespace netrig
