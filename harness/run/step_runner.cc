#include <algorithm>
#include <fmt/format.h>

#include "harness/base/require.h"
#include "harness/base/text.h"
#include "harness/run/saving.h"
#include "harness/run/verbs.h"
#include "harness/sockets/socket_names.h"

namespace netrig {
namespace {

// The table of verbs: in the order of the enumeration.
constexpr VerbFunction kVerbs[] = {
    do_send,       do_recv,       do_eof,           do_collect,      do_socket,   do_bind,
    do_listen,     do_accept,     do_connect,       do_read,         do_write,    do_send_to,
    do_recv_from,  do_send_msg,   do_recv_msg,      do_shutdown,     do_close,    do_reset,
    do_get_option, do_set_option, do_local_address, do_peer_address, do_poll,     do_pair,
    do_sleep,      do_barrier,    do_repeat,        do_for,          do_together,
};
static_assert(std::size(kVerbs) == static_cast<size_t>(Verb::kTogether) + 1);

bool holds_steps(Verb verb) {
  return verb == Verb::kRepeat || verb == Verb::kFor || verb == Verb::kTogether;
}

// "client step 2 (send)" from the path "client.2".
std::string describe_step(const ActorRun& run, const Step& step) {
  const size_t dot = step.path.find('.');
  return fmt::format("{} step {} ({})", run.name,
                     dot == std::string::npos ? step.path : step.path.substr(dot + 1),
                     verb_name(step.verb));
}

std::string error_words(Errno error) {
  if (error == Errno::timeout()) return "TIMEOUT (the deadline passed)";
  if (error == Errno::eof()) return "EOF (the peer closed)";
  return fmt::format("{} ({})", error.name(), error.text());
}

Finding finding_at(const ActorRun& run, const Step& step, Location at, std::string message,
                   std::vector<std::string> details = {}) {
  if (!step.note.empty()) details.push_back(fmt::format("note: {}", step.note));
  return {{at, std::move(message), std::move(details)}, run.name, step.path, step.spec};
}

std::optional<Finding> check_error(const ActorRun& run, const Step& step, const Answer& answer) {
  const std::string verb(verb_name(step.verb));
  if (answer.error) {
    if (std::ranges::find(step.errors, *answer.error) != step.errors.end()) return std::nullopt;
    if (step.errors.empty()) {
      return finding_at(run, step, step.at,
                        fmt::format("{} of {} got {}", verb, run.name, error_words(*answer.error)),
                        answer.details);
    }
  }
  if (step.errors.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (Errno error : step.errors) names.push_back(error.name());
  const std::string got = answer.error      ? error_words(*answer.error)
                          : answer.mismatch ? answer.mismatch->message
                                            : fmt::format("success ({})", answer.returned);
  return finding_at(
      run, step, step.error_at,
      fmt::format("{} of {} was to get {}, got {}", verb, run.name, join_or(names), got),
      answer.details);
}

std::optional<Finding> check_answer(const ActorRun& run, const Step& step, const Answer& answer) {
  if (answer.inner) return answer.inner;
  if (auto finding = check_error(run, step, answer)) return finding;
  if (answer.error) return std::nullopt;
  if (answer.mismatch) {
    return finding_at(run, step, step.value_at,
                      fmt::format("{}: {}", run.name, answer.mismatch->message),
                      answer.mismatch->details);
  }
  if (step.returns && !step.returns->contains(answer.returned)) {
    return finding_at(run, step, step.returns_at,
                      fmt::format("{} of {} was to return {}, got {}", verb_name(step.verb),
                                  run.name, format_range(*step.returns), answer.returned),
                      answer.details);
  }
  return std::nullopt;
}

std::optional<Finding> save_answer(ActorRun& run, const Step& step, const Answer& answer) {
  if (!step.save || answer.error) return std::nullopt;
  const bool number = step.verb == Verb::kGetOption && answer.data.empty();
  if (number && !step.save->name.empty()) {
    keep_value(run, step, step.save->name, answer.returned);
    return std::nullopt;
  }
  const auto values = saved_values(*step.save, answer.data);
  if (!values) return finding_at(run, step, step.at, values.error());
  for (const auto& [name, value] : *values) keep_value(run, step, name, value);
  return std::nullopt;
}

std::optional<Finding> run_step(Branch& branch, const Step& step) {
  ActorRun& run = branch.run;
  Stage& stage = run.stage;
  if (step.after) (void)stage.loop.sleep_until(stage.loop.now() + *step.after);
  stage.loop.set_activity(describe_step(run, step));
  stage.waiting[stage.loop.current()] = {run.name, step.at, std::string(verb_name(step.verb))};
  if (!holds_steps(step.verb)) stage.journal.record(run.name, StepStarted{step.path, step.at});
  Answer answer;
  {
    const Instant limit =
        step.within ? stage.loop.now() + stage.time_scale.limit(*step.within) : Instant::max();
    DeadlineScope deadline(stage.loop, limit);
    answer = kVerbs[static_cast<size_t>(step.verb)](branch, step);
  }
  if (auto finding = check_answer(run, step, answer)) return finding;
  if (auto finding = save_answer(run, step, answer)) return finding;
  if (holds_steps(step.verb)) return std::nullopt;
  StepEnded ended{step.path, step.at, std::string(verb_name(step.verb)), answer.returned,
                  answer.error ? answer.error->name() : ""};
  // What a wall clock decides (how much one read got) is no part of what was seen.
  stage.ledger.saw(run.name, fmt::format("{} {}", ended.path, ended.error));
  stage.journal.record(run.name, std::move(ended));
  return std::nullopt;
}

}  // namespace

std::optional<Finding> run_steps(Branch& branch, const Steps& steps) {
  for (const Step& step : steps) {
    if (auto finding = run_step(branch, step)) return finding;
  }
  return std::nullopt;
}

}  // namespace netrig
