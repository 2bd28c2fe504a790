#pragma once
// The text form of a Template: `${name}` is a variable, `$${` a literal "${". Taken apart and put
// together again; which names exist is not known here.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/model.h"

namespace netrig {

// Literals are never empty and never side by side. The error is a sentence without a full stop.
std::expected<std::vector<Template::Segment>, std::string> parse_template(std::string_view text);

// The inverse. The error: a literal that ends in '$' right before a variable has no text form,
// because
// `$${` means something else.
std::expected<std::string, std::string> print_template(
    const std::vector<Template::Segment>& segments);

// Appends to the last literal, or opens one. Nothing happens for an empty text.
void append_literal(std::vector<Template::Segment>& segments, std::string_view text);

}  // namespace netrig
