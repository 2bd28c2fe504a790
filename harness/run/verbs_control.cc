// The control verbs: sleep barrier repeat for together. They touch no socket.

#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/run/verbs.h"

namespace netrig {
namespace {

// Steps that never wait must not keep signals, time limits and other actors waiting for ever.
constexpr int64_t kRepeatsInOneTurn = 64;

}  // namespace

Answer do_sleep(Branch& branch, const Step& step) {
  Loop& loop = branch.run.stage.loop;
  const Instant until = loop.now() + std::get<SleepArguments>(step.arguments).duration;
  if (loop.sleep_until(until) == Loop::Woken::kDeadline) return Answer::of(Errno::timeout());
  return {};
}

Answer do_barrier(Branch& branch, const Step& step) {
  const std::string& name = std::get<BarrierArguments>(step.arguments).name;
  Blackboard& blackboard = branch.run.stage.blackboard;
  if (blackboard.arrive(name)) return {};
  Answer answer = Answer::of(Errno::timeout());
  answer.details = {
      fmt::format("{} did not come", plural(blackboard.missing_at_barrier(name), "actor"))};
  return answer;
}

Answer do_repeat(Branch& branch, const Step& step) {
  const auto& arguments = std::get<RepeatArguments>(step.arguments);
  const auto times = evaluate(arguments.times, branch.scope);
  if (!times) return Answer::wrong(times.error());
  Loop& loop = branch.run.stage.loop;
  const Instant anchor = loop.now();
  Answer answer;
  for (int64_t i = 1; i <= *times && !answer.inner; ++i) {
    const Instant turn = arguments.every ? anchor + (i - 1) * *arguments.every : loop.now();
    if (loop.sleep_until(turn) == Loop::Woken::kDeadline) return Answer::of(Errno::timeout());
    if (i % kRepeatsInOneTurn == 0) loop.yield();
    Scope scope(branch.run, &branch.scope);
    scope.set("i", i);
    Branch inner{branch.run, scope};
    answer.inner = run_steps(inner, arguments.steps);
    answer.returned = i;
  }
  return answer;
}

Answer do_for(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ForArguments>(step.arguments);
  Answer answer;
  for (const auto& item : arguments.values) {
    Value value;
    if (const auto* number = std::get_if<int64_t>(&item)) {
      value = *number;
    } else {
      auto text = render(std::get<Template>(item), branch.scope);
      if (!text) return Answer::wrong(text.error());
      value = std::move(*text);
    }
    Scope scope(branch.run, &branch.scope);
    scope.set(arguments.variable, std::move(value));
    Branch inner{branch.run, scope};
    answer.inner = run_steps(inner, arguments.steps);
    if (answer.inner) return answer;
    ++answer.returned;
  }
  return answer;
}

Answer do_together(Branch& branch, const Step& step) {
  const auto& arguments = std::get<TogetherArguments>(step.arguments);
  Loop& loop = branch.run.stage.loop;
  std::vector<std::optional<Finding>> findings(arguments.branches.size());
  std::vector<FiberId> fibers;
  const Instant deadline = loop.deadline();
  for (size_t i = 0; i < arguments.branches.size(); ++i) {
    fibers.push_back(loop.spawn(fmt::format("{} branch {}", branch.run.name, i + 1), [&, i] {
      loop.set_deadline(deadline);
      Scope scope(branch.run, &branch.scope);
      Branch inner{branch.run, scope};
      findings[i] = run_steps(inner, arguments.branches[i]);
      branch.run.stage.waiting.erase(loop.current());
      // The run ends with the first thing that goes wrong; the other branches need not wait for it.
      if (findings[i]) branch.run.stage.failed(*findings[i]);
    }));
  }
  // The branches have the deadline; whoever waits for them must not leave before they do.
  loop.set_deadline(Instant::max());
  for (FiberId fiber : fibers) {
    while (loop.alive(fiber)) loop.join(fiber);
  }
  loop.set_deadline(deadline);
  Answer answer;
  for (auto& finding : findings) {
    if (finding && !answer.inner) answer.inner = std::move(finding);
  }
  return answer;
}

}  // namespace netrig
