#include "harness/scenario/format_table.h"

#include <algorithm>
#include <array>

#include "harness/base/require.h"
#include "harness/scenario/format_forms.h"

namespace netrig {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool fits(const KeyFormat& format, std::string_view key) {
  switch (format.pattern) {
    case KeyPattern::kExact:
      return key == format.name;
    case KeyPattern::kName:
      return is_name(key);
    case KeyPattern::kVariable:
      return is_variable_name(key);
    case KeyPattern::kText:
      return !key.empty();
    case KeyPattern::kLink: {
      const std::optional<Arrow> arrow = parse_arrow(key);
      return arrow && arrow->kind != "-x";
    }
    case KeyPattern::kRung: {
      const std::optional<Arrow> arrow = parse_arrow(key);
      return arrow && arrow->kind != "<->";
    }
  }
  return false;
}

}  // namespace

const std::vector<ObjectFormat>& format_table() {
  using namespace format_parts;
  // In the order of Part, so that format_of is a look into the vector.
  static const std::vector<ObjectFormat> table = {file(),
                                                  program(),
                                                  expected_failure(),
                                                  taken_environment(),
                                                  matrix(),
                                                  matrix_row(),
                                                  vars(),
                                                  parts(),
                                                  part(),
                                                  arguments(),
                                                  network(),
                                                  link(),
                                                  rule(),
                                                  rule_delay(),
                                                  rule_match(),
                                                  delay_distribution(),
                                                  loss(),
                                                  gemodel(),
                                                  loss_state(),
                                                  correlated_chance(),
                                                  reorder(),
                                                  link_rate(),
                                                  queue(),
                                                  event(),
                                                  links(),
                                                  actors(),
                                                  actor(),
                                                  options(),
                                                  step(),
                                                  socket_type(),
                                                  poll_set(),
                                                  poll_entry(),
                                                  until(),
                                                  save_integers(),
                                                  address_parts(),
                                                  payload(),
                                                  matcher(),
                                                  sequence_part(),
                                                  rung(),
                                                  processes(),
                                                  process(),
                                                  environment(),
                                                  files(),
                                                  ready(),
                                                  stop(),
                                                  relays(),
                                                  relay(),
                                                  packets(),
                                                  expectation()};
  return table;
}

const ObjectFormat& format_of(Part part) {
  const ObjectFormat& format = format_table()[static_cast<size_t>(part)];
  NETRIG_REQUIRE(format.part == part);
  return format;
}

const KeyFormat* find_key(const std::vector<KeyFormat>& keys, std::string_view key) {
  for (const KeyFormat& format : keys) {
    if (fits(format, key)) return &format;
  }
  return nullptr;
}

const Variant* find_variant(const ObjectFormat& object, std::string_view head) {
  for (const Variant& variant : object.variants) {
    if (fits(variant.head, head)) return &variant;
  }
  return nullptr;
}

// ---------------------------------------------------------------- for the model's builder

const std::vector<std::string>& verb_names() {
  // In the order of Verb, which is that of the documents.
  static const std::vector<std::string> names = {
      "send",       "recv",       "eof",           "collect",      "socket",  "bind",
      "listen",     "accept",     "connect",       "read",         "write",   "send_to",
      "recv_from",  "send_msg",   "recv_msg",      "shutdown",     "close",   "reset",
      "get_option", "set_option", "local_address", "peer_address", "poll",    "pair",
      "sleep",      "barrier",    "repeat",        "for",          "together"};
  return names;
}

std::string_view verb_name(Verb verb) {
  return verb_names()[static_cast<size_t>(verb)];
}

std::optional<Verb> verb_from_name(std::string_view name) {
  const auto found = std::ranges::find(verb_names(), name);
  if (found == verb_names().end()) return std::nullopt;
  return static_cast<Verb>(found - verb_names().begin());
}

const Member* find_verb(const Node& step) {
  for (const Member& member : step.members) {
    if (verb_from_name(member.key)) return &member;
  }
  return nullptr;
}

std::optional<Arrow> parse_arrow(std::string_view text) {
  for (const std::string_view kind : {"<->", "->", "-x"}) {
    const size_t place = text.find(std::string(" ") + std::string(kind) + " ");
    if (place == std::string_view::npos) continue;
    Arrow arrow = {std::string(trimmed(text.substr(0, place))), std::string(kind),
                   std::string(trimmed(text.substr(place + kind.size() + 2)))};
    if (is_name(arrow.from) && is_name(arrow.to)) return arrow;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text[0]) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '-'; });
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && (is_letter(text[0]) || text[0] == '_') &&
         std::ranges::all_of(text, is_word);
}

const std::vector<NumberForm>& number_forms() {
  static const std::vector<NumberForm> forms = [] {
    std::vector<NumberForm> all = {{"u8", 1, false, false, false}, {"i8", 1, true, false, false}};
    for (const int octets : {2, 3, 4, 8}) {
      for (const char* kind : {"u", "i"}) {
        for (const char* order : {"be", "le"}) {
          all.push_back({kind + std::to_string(8 * octets) + order, static_cast<uint8_t>(octets),
                         *kind == 'i', *order == 'l', false});
        }
      }
    }
    for (const int octets : {4, 8}) {
      for (const char* order : {"be", "le"}) {
        all.push_back({"f" + std::to_string(8 * octets) + order, static_cast<uint8_t>(octets), true,
                       *order == 'l', true});
      }
    }
    return all;
  }();
  return forms;
}

const NumberForm* find_number_form(std::string_view name) {
  const auto found = std::ranges::find(number_forms(), name, &NumberForm::name);
  return found == number_forms().end() ? nullptr : &*found;
}

}  // namespace netrig
