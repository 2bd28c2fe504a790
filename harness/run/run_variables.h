#pragma once
// The variables that everyone in a run knows: `${tmp}`, `${seed}`, services' ports and addresses,
// exported names (waited for until they are set).

#include "harness/run/actor_run.h"
#include "harness/run/render.h"

namespace netrig {

class RunVariables final : public Variables {
 public:
  explicit RunVariables(Stage& stage) : stage_(stage) {}

  std::expected<Value, std::string> lookup(const std::string& name) override {
    if (name == "tmp") return Bytes(stage_.world.tmp());
    if (name == "seed") return static_cast<int64_t>(stage_.seed);
    return stage_.blackboard.get(name);
  }

 private:
  Stage& stage_;
};

}  // namespace netrig
