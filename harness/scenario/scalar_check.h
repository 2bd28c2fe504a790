#pragma once
// One value without parts against one form of the format's table: its text's syntax and bounds.
// Used by the validator only.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/format_table.h"
#include "harness/scenario/node.h"
#include "harness/scenario/source.h"

namespace netrig {

// True if a value of this kind could be meant as this form; check_scalar, or a look inside, tells
// more.
bool takes_kind(const Form& form, const Node& node);

// Nothing if the value fits. `subject` is how messages call it: "'within'". `load_time_names`: of
// `vars`.
std::optional<Diagnostic> check_scalar(const Form& form, const Node& node, std::string_view subject,
                                       const std::vector<std::string>& load_time_names);

// "a duration such as "250ms"": for messages and documents.
std::string describe(const Form& form);
std::string describe(const Forms& forms);  // "a duration such as "250ms" or "off""

// The first variable in the text ("i" of "ping ${i}"); `$${` is none.
std::optional<std::string> first_variable(std::string_view text);

}  // namespace netrig
