#pragma once
// The words in which the format's table is written: one short function for each kind of value. Only
// the files of the table include this.

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "harness/scenario/format_table.h"
#include "harness/scenario/reader.h"

namespace netrig::forms {

using Kind = Form::Kind;

inline Form plain(Kind kind) {
  return {.kind = kind};
}
inline Form at_run_time(Form form) {
  form.run_time = true;
  return form;
}
inline Form bounded(Kind kind, int64_t low, int64_t high = std::numeric_limits<int64_t>::max()) {
  return {.kind = kind, .low = low, .high = high};
}

// Text of which the run replaces variables; text that must be known when the file is loaded.
inline Form template_text() {
  return at_run_time(plain(Kind::kText));
}
inline Form text(int64_t characters_min = 1) {
  return bounded(Kind::kText, characters_min);
}

inline Form choice(std::vector<std::string> choices) {
  return {.kind = Kind::kChoice, .choices = std::move(choices)};
}
inline Form name() {
  return plain(Kind::kName);
}
inline Form integer(int64_t low, int64_t high = std::numeric_limits<int64_t>::max()) {
  return bounded(Kind::kInteger, low, high);
}
// An integer, or a lone "${x}" of the run.
inline Form number(int64_t low, int64_t high = std::numeric_limits<int64_t>::max()) {
  return at_run_time(integer(low, high));
}
inline Form yes() {
  return plain(Kind::kTrue);
}
inline Form duration() {
  return plain(Kind::kDuration);
}
inline Form duration_range() {
  return plain(Kind::kDurationRange);
}
inline Form count_range() {
  return bounded(Kind::kIntegerRange, 0);
}
inline Form any_range() {
  return bounded(Kind::kIntegerRange, std::numeric_limits<int64_t>::min());
}
inline Form size() {
  return at_run_time(bounded(Kind::kSize, 0, static_cast<int64_t>(kScenarioPayloadMax)));
}
inline Form probability() {
  return plain(Kind::kProbability);
}
inline Form any_value() {
  return plain(Kind::kAny);
}
inline Form object(Part part) {
  return {.kind = Kind::kPart, .part = part};
}
inline Form list_of(Forms element, int64_t low = 0,
                    int64_t high = std::numeric_limits<int64_t>::max()) {
  return {.kind = Kind::kList, .low = low, .high = high, .element = std::move(element)};
}
inline Form steps() {
  return list_of({object(Part::kStep)});
}
inline Form target() {
  return at_run_time(plain(Kind::kTarget));
}

// Of all transports, if none is named.
Form address(std::vector<std::string> transports = {});

// Text, an object, or a list of these. A list in a list is one part of `send_msg`.
Forms payload();
Forms matcher();

std::vector<KeyFormat> operator+(std::vector<KeyFormat> a, const std::vector<KeyFormat>& b);

}  // namespace netrig::forms

namespace netrig::format_parts {

ObjectFormat file();
ObjectFormat program();
ObjectFormat expected_failure();
ObjectFormat taken_environment();
ObjectFormat matrix();
ObjectFormat matrix_row();
ObjectFormat vars();
ObjectFormat parts();
ObjectFormat part();
ObjectFormat arguments();
ObjectFormat network();
ObjectFormat link();
ObjectFormat rule();
ObjectFormat rule_delay();
ObjectFormat rule_match();
ObjectFormat delay_distribution();
ObjectFormat loss();
ObjectFormat gemodel();
ObjectFormat loss_state();
ObjectFormat correlated_chance();
ObjectFormat reorder();
ObjectFormat link_rate();
ObjectFormat queue();
ObjectFormat event();
ObjectFormat links();
ObjectFormat actors();
ObjectFormat actor();
ObjectFormat options();
ObjectFormat packets();
ObjectFormat rung();
ObjectFormat processes();
ObjectFormat process();
ObjectFormat environment();
ObjectFormat files();
ObjectFormat ready();
ObjectFormat stop();
ObjectFormat relays();
ObjectFormat relay();
ObjectFormat expectation();
ObjectFormat step();
ObjectFormat socket_type();
ObjectFormat poll_set();
ObjectFormat poll_entry();
ObjectFormat until();
ObjectFormat save_integers();
ObjectFormat address_parts();
ObjectFormat payload();
ObjectFormat matcher();
ObjectFormat sequence_part();

}  // namespace netrig::format_parts
