#pragma once
// Text from scenarios, peers and file names, made safe to show: control characters would move a
// terminal's cursor, and XML 1.0 has no way to write most of them at all. What cannot stand as it
// is becomes `\x1b`, an octet at a time. Both answers are well-formed UTF-8.

#include <string>
#include <string_view>

namespace netrig {

// For a terminal: '\n' and '\t' stay, other C0 and C1 controls, DEL and malformed UTF-8 are
// escaped.
std::string printable(std::string_view text);

// printable() for one line: '\n' and '\t' are escaped too.
std::string printable_line(std::string_view text);

// Between tags: & < > are entities; what XML 1.0 section 2.2 does not allow as a Char is escaped.
std::string xml_text(std::string_view text);

// Inside "...": also quotes, and white space that a parser would normalise (XML 1.0 section 3.3.3).
std::string xml_attribute(std::string_view text);

}  // namespace netrig
