#pragma once
// Templates, payloads and numbers of a scenario become octets and integers, with the variables of a
// run. Pure but for the lookup of variables, which the caller gives. What is rendered is limited
// (kScenarioPayloadMax); errors are sentences without a full stop. No socket and no actor is known
// here.

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/scenario/model.h"

namespace netrig {

using Value = std::variant<int64_t, Bytes>;

// Who knows the value of `${name}` now.
class Variables {
 public:
  virtual ~Variables() = default;
  // The error is a sentence that names the variable. May suspend the calling fiber: an exported
  // variable of another actor is waited for.
  virtual std::expected<Value, std::string> lookup(const std::string& name) = 0;
};

// Variables that are known already: of expectations, and in tests.
class FixedVariables : public Variables {
 public:
  explicit FixedVariables(std::map<std::string, Value> values) : values_(std::move(values)) {}
  std::expected<Value, std::string> lookup(const std::string& name) override;

 private:
  std::map<std::string, Value> values_;
};

// An integer shows in decimal.
std::expected<Bytes, std::string> render(const Template& text, Variables& variables);

// A random payload is a pure function of (seed, its path, its length); a shorter one is the
// beginning of a longer one.
std::expected<Bytes, std::string> render(const Payload& payload, Variables& variables,
                                         uint64_t seed);

// The elements of a list one by one: a checksum among them is that of those before it.
std::expected<std::vector<Bytes>, std::string> render_parts(const std::vector<Payload>& parts,
                                                            Variables& variables, uint64_t seed);

// A variable's text that is a decimal integer counts as one.
std::expected<int64_t, std::string> evaluate(const Number& number, Variables& variables);

}  // namespace netrig
