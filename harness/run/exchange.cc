#include "harness/run/exchange.h"

#include <algorithm>
#include <fmt/format.h>
#include <poll.h>
#include <set>

#include "harness/base/text.h"
#include "harness/run/openings.h"
#include "harness/run/verbs.h"

namespace netrig {
namespace {

constexpr size_t kWaitersTold = 12;
constexpr Duration kLastPacketsMax = 3s;

std::string instance_name(const Actor& actor, int64_t index) {
  return actor.count == 1 ? actor.name : fmt::format("{}-{}", actor.name, index);
}

}  // namespace

Exchange::Exchange(const Scenario& scenario, World& world, Journal& journal, uint64_t seed,
                   Duration timeout, TimeScale time_scale)
    : scenario_(scenario),
      world_(world),
      journal_(journal),
      blackboard_(world.loop()),
      stage_{.scenario = scenario,
             .world = world,
             .loop = world.loop(),
             .journal = journal,
             .blackboard = blackboard_,
             .ledger = ledger_,
             .seed = seed,
             .waiting = {},
             .resolve = [this](const Address& address, const std::string& host,
                               Variables& variables) { return resolve(address, host, variables); },
             .failed = [this](Finding finding) { fail(std::move(finding)); },
             .time_scale = time_scale},
      timeout_(timeout),
      processes_(stage_),
      relays_(stage_) {}

Exchange::~Exchange() {
  world_.loop().destroy_fibers();
}

Exchange::Outcome Exchange::play() {
  Loop& loop = world_.loop();
  promise_variables();
  make_actors();
  loop.watchdog(loop.now() + timeout_, [this] {
    if (ended_) return;
    tell_who_waits(fmt::format("the run was not done after {}", format_duration(timeout_)));
    world_.loop().stop();
  });
  loop.spawn("openings", [this] { start_everything(); });
  const Loop::Ended ended = loop.run_until([this] { return everything_done(); });
  if (ended == Loop::Ended::kStuck && outcome_.findings.empty()) {
    tell_who_waits("everyone waits and nothing can come");
  }
  ended_ = true;
  stop_processes();
  loop.destroy_fibers();
  for (auto& run : runs_) {
    auto leftovers = run->end("end of run", false);
    if (!outcome_.findings.empty() || outcome_.interrupted) continue;
    std::ranges::move(leftovers, std::back_inserter(outcome_.findings));
  }
  report_ = world_.finish();
  if (outcome_.findings.empty() && !outcome_.interrupted) judge_leftovers();
  return outcome_;
}

void Exchange::interrupt() {
  outcome_.interrupted = true;
  world_.loop().stop();
}

std::string Exchange::fingerprint() const {
  Ledger books = ledger_;
  for (const Event& event : journal_.events()) {
    const auto* record = std::get_if<FateRecord>(&event.what);
    // Which segments TCP sends, and so what becomes of them, depends on the machine's time.
    if (record == nullptr || !record->packet.is_datagram()) continue;
    // Without the delay: on a wall clock the queue's part of it is not the same twice.
    Fate fate = record->fate;
    fate.delay = Duration{0};
    books.saw("network " + record->packet.direction.str() + " " + record->packet.flow.str(),
              fmt::format("{} {}", record->packet.ordinal, format_fate(fate)));
  }
  return books.fingerprint();
}

std::map<std::string, std::string> Exchange::variables() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : blackboard_.values()) {
    const auto* number = std::get_if<int64_t>(&value);
    texts[name] = number != nullptr ? std::to_string(*number) : std::get<Bytes>(value);
  }
  for (const std::string& host : scenario_.hosts) {
    texts.try_emplace(host + ".address", world_.address(host, false).to_string());
    texts.try_emplace(host + ".address6", world_.address(host, true).to_string());
  }
  return texts;
}

std::expected<Endpoint, std::string> Exchange::resolve(const Address& address,
                                                       const std::string& host,
                                                       Variables& variables) {
  if (!is_unix(address.transport)) {
    const std::string& where = address.host.empty() ? host : address.host;
    const IpAddress ip = address.ip ? *address.ip : world_.address(where, address.v6);
    return Endpoint(ip, address.port.value_or(0));
  }
  auto path = render(address.path, variables);
  if (!path) return std::unexpected(path.error());
  return address.abstract ? Endpoint::unix_abstract(*path) : Endpoint::unix_path(*path);
}

// What ${actor.address} is, known before anything is bound: a client has an address, too.
IpAddress Exchange::own_address(const Actor& actor) const {
  const Address* used = service_address(actor);
  if (used == nullptr && actor.opening == Opening::kConnect) {
    used = actor.target.actor.empty() ? &actor.target.address
                                      : find_service(scenario_, actor.target.actor);
    return world_.address(actor.host, used != nullptr && used->v6);
  }
  if (used != nullptr && used->ip && !used->ip->is_unspecified()) return *used->ip;
  return world_.address(actor.host, used != nullptr && used->v6);
}

void Exchange::promise_variables() {
  for (const Actor& actor : scenario_.actors) {
    if (const Address* service = service_address(actor)) {
      blackboard_.promise(actor.name + (is_unix(service->transport) ? ".path" : ".port"));
    }
    blackboard_.set(actor.name + ".address", own_address(actor).to_string());
    std::set<std::string> barriers;
    const auto look = [&](const Step& step) {
      if (const auto* barrier = std::get_if<BarrierArguments>(&step.arguments)) {
        barriers.insert(barrier->name);
      }
      if (!step.exported) return;
      for (const std::string& name : kept_names(step)) blackboard_.promise(name);
    };
    for_each_step(actor.steps, look);
    for_each_step(actor.each, look);
    for (const std::string& name : barriers) {
      blackboard_.expect_at_barrier(name, static_cast<uint64_t>(actor.count));
    }
  }
}

void Exchange::make_actors() {
  for (const Actor& actor : scenario_.actors) {
    for (int64_t i = 1; i <= actor.count; ++i) {
      runs_.push_back(std::make_unique<ActorRun>(stage_, actor, instance_name(actor, i), i));
    }
  }
}

// All that listens is there, and every program is ready, before anybody connects: no actor has to
// guess when another is ready.
void Exchange::start_everything() {
  if (!open_services()) return;
  processes_.start_all();
  if (outcome_.findings.empty()) start_actors();
}

bool Exchange::open_services() {
  std::optional<Finding> finding = processes_.announce();
  for (auto& run : runs_) {
    if (!finding) finding = open_service(*run);
  }
  if (!finding) finding = relays_.open();
  if (finding) fail(std::move(*finding));
  return !finding;
}

void Exchange::start_actors() {
  for (auto& run : runs_) {
    ActorRun& actor_run = *run;
    if (actor_run.actor.has_each) {
      acceptors_[actor_run.name] =
          stage_.loop.spawn(actor_run.name, [this, &actor_run] { serve_each(actor_run); });
    } else {
      ++working_;
      stage_.loop.spawn(actor_run.name, [this, &actor_run] { play_actor(actor_run); });
    }
  }
  started_ = true;
}

void Exchange::play_actor(ActorRun& run) {
  journal_.record(run.name, ActorStarted{});
  Scope scope(run, nullptr);
  Branch branch{run, scope};
  std::optional<Finding> finding;
  if (run.actor.opening == Opening::kConnect) finding = open_connection(branch);
  if (!finding && accepts_by_itself(run.actor)) finding = accept_first(branch);
  if (!finding) finding = run_steps(branch, run.actor.steps);
  stage_.waiting.erase(stage_.loop.current());
  journal_.record(run.name, ActorEnded{.finished = !finding});
  --working_;
  if (finding) return fail(std::move(*finding));
  stage_.loop.set_activity(run.name + " ends");
  for (Finding& leftover : run.end("end of actor", false)) fail(std::move(leftover));
}

void Exchange::serve_each(ActorRun& run) {
  const auto listener = run.find("listener");
  std::vector<FiberId> serving;
  for (int64_t number = 1;; ++number) {
    while (run.actor.at_once > 0 && serving.size() >= static_cast<size_t>(run.actor.at_once)) {
      stage_.loop.join(serving.front());
      std::erase_if(serving, [&](FiberId fiber) { return !stage_.loop.alive(fiber); });
    }
    stage_.loop.set_activity(run.name + " accept");
    const auto accepted = run.api.accept(listener->socket);
    if (!accepted)
      return fail(opening_failed(run, run.actor.address.at, "cannot accept", accepted.error()));
    ++working_;
    serving.push_back(
        stage_.loop.spawn(fmt::format("{}#{}", run.name, number),
                          [this, &run, accepted, number] { serve_one(run, *accepted, number); }));
  }
}

void Exchange::serve_one(ActorRun& listener, const Accepted& accepted, int64_t number) {
  const auto owned = std::make_unique<ActorRun>(
      stage_, listener.actor, fmt::format("{}#{}", listener.name, number), number);
  ActorRun& run = *owned;
  journal_.record(run.name, ActorStarted{});
  OpenSocket& socket = run.add("connection", {.socket = accepted.socket,
                                              .transport = listener.actor.address.transport,
                                              .transport_known = true});
  run.book_connection(socket, true);
  Scope scope(run, nullptr);
  Branch branch{run, scope};
  auto finding = run_steps(branch, listener.actor.each);
  stage_.waiting.erase(stage_.loop.current());
  journal_.record(run.name, ActorEnded{.finished = !finding});
  --working_;
  if (finding) return fail(std::move(*finding));
  for (Finding& leftover : run.end("end of actor", false)) fail(std::move(leftover));
}

// Nobody has a step left, no packet is under way, and no connection waits to be served.
bool Exchange::everything_done() {
  if (!outcome_.findings.empty()) return true;
  if (!started_ || working_ > 0) {
    done_since_.reset();
    return false;
  }
  if (world_.packets_under_way() && !programs_send_without_end()) return false;
  if (!processes_.all_ended() || relays_.busy()) return false;
  for (auto& run : runs_) {
    if (!run->actor.has_each) continue;
    PollEntry entry{run->find("listener")->socket, POLLIN, 0};
    const auto ready = run->api.poll(std::span(&entry, 1), Duration{0});
    if (ready && *ready > 0) return false;
  }
  return true;
}

// The last packets are waited for, but not those of a program that would send for ever.
bool Exchange::programs_send_without_end() {
  if (processes_.empty()) return false;
  const Instant now = world_.loop().now();
  if (!done_since_) done_since_ = now;
  return now - *done_since_ > kLastPacketsMax;
}

void Exchange::stop_processes() {
  if (processes_.empty()) return;
  if (!outcome_.interrupted) {
    bool done = false;
    world_.loop().spawn("stopping", [&] {
      const bool orderly = outcome_.findings.empty();
      std::ranges::move(processes_.stop_all(orderly), std::back_inserter(outcome_.findings));
      done = true;
    });
    world_.loop().run_until([&] { return done; });
  }
  process_outcomes_ = processes_.outcomes();
}

void Exchange::fail(Finding finding) {
  outcome_.findings.push_back(std::move(finding));
  stage_.loop.stop();
}

void Exchange::tell_who_waits(const std::string& message) {
  Finding finding{{{}, message, {}}, "", ""};
  for (const auto& [fiber, waiting] : stage_.waiting) {
    if (finding.diagnostic.at.line == 0) {
      finding.diagnostic.at = waiting.at;
      finding.actor = waiting.instance;
    }
    if (finding.diagnostic.details.size() == kWaitersTold) {
      finding.diagnostic.details.push_back(
          fmt::format("and {} more", stage_.waiting.size() - kWaitersTold));
      break;
    }
    finding.diagnostic.details.push_back(
        fmt::format("{} waits in {} at line {}", waiting.instance, waiting.what, waiting.at.line));
  }
  outcome_.findings.push_back(std::move(finding));
}

void Exchange::judge_leftovers() {
  const auto blame = [&](const Actor* actor, const std::string& instance, std::string message) {
    if (actor == nullptr || actor->ignore_leftover) return;
    outcome_.findings.push_back(
        {{actor->at, std::move(message), {"\"leftover\": \"ignore\" on the actor allows it"}},
         instance,
         ""});
  };
  const auto actor_of = [&](const std::string& instance) -> const Actor* {
    const Actor* found = nullptr;
    for (const Actor& actor : scenario_.actors) {
      const bool same = instance == actor.name || instance.starts_with(actor.name + "#") ||
                        instance.starts_with(actor.name + "-");
      if (same && (found == nullptr || actor.name.size() > found->name.size())) found = &actor;
    }
    return found;
  };
  for (const UnreadStream& stream : ledger_.unread()) {
    blame(actor_of(stream.receiver), stream.receiver,
          fmt::format("{} never read {} that {} sent", stream.receiver,
                      plural(stream.octets, "octet"), stream.sender));
  }
  std::map<std::string, uint64_t> unread;  // by receiving host
  for (const Event& event : journal_.events()) {
    const auto* arrival = std::get_if<ArrivalRecord>(&event.what);
    if (arrival == nullptr || arrival->read) continue;
    const std::string& direction = arrival->packet.direction;
    ++unread[direction.substr(direction.find(" -> ") + 4)];
  }
  for (const auto& [host, count] : unread) {
    const Actor* receiver = nullptr;
    for (const Actor& actor : scenario_.actors) {
      if (actor.host == host && (receiver == nullptr || actor.ignore_leftover)) receiver = &actor;
    }
    blame(receiver, host,
          fmt::format("{} never read {} that came", host, plural(count, "datagram")));
  }
}

}  // namespace netrig
