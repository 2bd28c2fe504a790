#include "harness/sockets/loop.h"

#include "harness/base/require.h"

namespace netrig {
namespace {

constexpr unsigned kPlaceBits = 24;  // of a FiberId: so many fibers at once

}  // namespace

struct Loop::Task {
  enum class State { kReady, kRunning, kParked };

  FiberId id = 0;
  std::string name;
  State state = State::kReady;
  Woken woken = Woken::kWoken;
  Instant deadline = Instant::max();
  SharedText activity;
  std::vector<FiberId> joiners;
  std::unique_ptr<Fiber> fiber;
};

Loop::Loop(StackPool* stacks) : stacks_(stacks != nullptr ? *stacks : own_stacks_) {}

Loop::~Loop() {
  NETRIG_REQUIRE(tasks_.empty());
}

FiberId Loop::spawn(std::string name, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  size_t place = places_.size();
  if (free_places_.empty()) {
    NETRIG_REQUIRE(place < (size_t{1} << kPlaceBits));
    places_.push_back(task.get());
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    places_[place] = task.get();
  }
  const FiberId id = ++fibers_made_ << kPlaceBits | place;
  task->id = id;
  task->name = std::move(name);
  task->activity = activity();
  task->fiber = std::make_unique<Fiber>(stacks_, std::move(body));
  tasks_.emplace(id, std::move(task));
  ready_.push_back(id);
  return id;
}

TimerId Loop::at(Instant when, std::function<void()> callback) {
  return timers_.add(when, true, std::move(callback));
}

TimerId Loop::watchdog(Instant when, std::function<void()> callback) {
  return timers_.add(when, false, std::move(callback));
}

bool Loop::cancel(TimerId timer) {
  return timers_.cancel(timer);
}

Loop::Task* Loop::find(FiberId fiber) const {
  const size_t place = fiber & ((size_t{1} << kPlaceBits) - 1);
  if (place >= places_.size() || places_[place] == nullptr) return nullptr;
  return places_[place]->id == fiber ? places_[place] : nullptr;
}

void Loop::wake(FiberId fiber) {
  Task* task = find(fiber);
  if (task == nullptr || task->state != Task::State::kParked) return;
  task->state = Task::State::kReady;
  task->woken = Woken::kWoken;
  ready_.push_back(fiber);
}

bool Loop::alive(FiberId fiber) const {
  return find(fiber) != nullptr;
}

size_t Loop::fiber_count() const {
  return tasks_.size();
}

void Loop::stop() {
  stopped_ = true;
}

void Loop::destroy_fibers() {
  NETRIG_REQUIRE(!inside_fiber());
  while (!tasks_.empty()) {
    Task& task = *tasks_.begin()->second;
    current_ =
        &task;  // destructors on its stack may ask who they are, and find that they must not wait
    task.state = Task::State::kRunning;
    // Not reset(): destructors on the fiber's stack still look at it through task.fiber.
    delete task.fiber.get();
    static_cast<void>(task.fiber.release());
    current_ = nullptr;
    end(task);
  }
  ready_.clear();
}

Loop::Ended Loop::run() {
  return run_while(nullptr);
}

Loop::Ended Loop::run_until(const std::function<bool()>& done) {
  return run_while(&done);
}

FiberId Loop::current() const {
  NETRIG_REQUIRE(current_ != nullptr);
  return current_->id;
}

bool Loop::unwinding() const {
  return current_ != nullptr && current_->fiber->unwinding();
}

Loop::Woken Loop::park(Instant deadline) {
  NETRIG_REQUIRE(current_ != nullptr);
  Task& task = *current_;
  deadline = std::min(deadline, task.deadline);
  if (task.fiber->unwinding() || deadline <= now()) return Woken::kDeadline;

  struct CancelAtExit {
    Loop& loop;
    TimerId timer;
    ~CancelAtExit() {
      if (timer != 0) loop.cancel(timer);
    }
  } timer{*this, 0};
  if (deadline != Instant::max()) {
    timer.timer = at(deadline, [this, &task] {
      if (task.state != Task::State::kParked) return;
      wake(task.id);
      task.woken = Woken::kDeadline;
    });
  }
  task.state = Task::State::kParked;
  task.fiber->suspend();
  return task.woken;
}

Loop::Woken Loop::sleep_until(Instant when) {
  while (now() < when) {
    if (park(when) == Woken::kDeadline && now() < when) return Woken::kDeadline;
  }
  return Woken::kWoken;
}

void Loop::yield() {
  NETRIG_REQUIRE(current_ != nullptr);
  Task& task = *current_;
  if (task.fiber->unwinding()) return;
  task.state = Task::State::kReady;
  ready_.push_back(task.id);
  task.fiber->suspend();
}

Loop::Woken Loop::join(FiberId fiber) {
  const FiberId self = current();
  NETRIG_REQUIRE(fiber != self);
  struct ForgetAtExit {
    Loop& loop;
    FiberId joined;
    FiberId self;
    ~ForgetAtExit() {
      const auto found = loop.tasks_.find(joined);
      if (found != loop.tasks_.end()) std::erase(found->second->joiners, self);
    }
  } forget{*this, fiber, self};
  while (alive(fiber)) {
    auto& joiners = tasks_.at(fiber)->joiners;
    if (std::find(joiners.begin(), joiners.end(), self) == joiners.end()) joiners.push_back(self);
    if (park() == Woken::kDeadline) return alive(fiber) ? Woken::kDeadline : Woken::kWoken;
  }
  return Woken::kWoken;
}

Instant Loop::deadline() const {
  return current_ == nullptr ? Instant::max() : current_->deadline;
}

void Loop::set_deadline(Instant deadline) {
  if (current_ != nullptr) current_->deadline = deadline;
}

const SharedText& Loop::activity() const {
  static const SharedText kNone;
  return current_ == nullptr ? kNone : current_->activity;
}

void Loop::set_activity(std::string activity) {
  if (current_ != nullptr) current_->activity = std::move(activity);
}

// One round: whoever becomes runnable meanwhile waits for the next turn.
void Loop::run_ready() {
  for (size_t left = ready_.size(); left > 0; --left) {
    if (Task* task = find(ready_.take_front())) enter(*task);
  }
}

// Timers that callbacks add wait for the next turn, even if they are due: a turn is finite.
void Loop::fire_timers() {
  timers_.begin_round();
  while (timers_.first() != Instant::max() && may_fire(timers_.first())) timers_.take_first()();
  timers_.end_round();
}

void Loop::enter(Task& task) {
  current_ = &task;
  task.state = Task::State::kRunning;
  task.fiber->resume();
  current_ = nullptr;
  if (task.fiber->ended()) end(task);
}

void Loop::end(Task& task) {
  const auto joiners = std::move(task.joiners);
  const auto place = static_cast<uint32_t>(task.id & ((size_t{1} << kPlaceBits) - 1));
  places_[place] = nullptr;
  free_places_.push_back(place);
  tasks_.erase(task.id);
  for (const FiberId joiner : joiners) wake(joiner);
}

Loop::Ended Loop::run_while(const std::function<bool()>* done) {
  NETRIG_REQUIRE(!inside_fiber());
  while (true) {
    if (std::exchange(stopped_, false)) return Ended::kStopped;
    begin_turn();
    fire_timers();
    run_ready();
    end_turn();
    if (done != nullptr ? (*done)() : tasks_.empty()) return Ended::kFinished;
    if (stopped_ || !ready_.empty()) continue;
    if (advance(timers_.first_awaited()) == Advance::kIdle) {
      return tasks_.empty() ? Ended::kFinished : Ended::kStuck;
    }
  }
}

}  // namespace netrig
