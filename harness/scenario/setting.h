#pragma once
// The words of --set: a value's text, and the value that a text stands for. Which variables there
// are is not known here.

#include <optional>
#include <string>

#include "harness/scenario/node.h"

namespace netrig {

// The value of `--set name=text` for a variable whose value in the file is `declared`; nothing if
// it has another type.
std::optional<Node> set_value(const Node& declared, const std::string& text);

// The text that set_value() makes this value of.
std::string setting_of(const Node& value);

}  // namespace netrig
