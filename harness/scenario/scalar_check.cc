#include "harness/scenario/scalar_check.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/scenario/masked_hex.h"
#include "harness/sockets/socket_names.h"

namespace netrig {

namespace {

using Kind = Form::Kind;
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

// True for the forms that are written as something else than a string.
bool takes_number(Kind kind) {
  return kind == Kind::kInteger || kind == Kind::kIntegerRange || kind == Kind::kSize ||
         kind == Kind::kReal;
}

std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const SocketOption& option : socket_options()) names.emplace_back(option.name);
  return names;
}

// What a form takes, as the words of a message need it.
struct Judge {
  const Form& form;
  const Node& node;
  std::string_view subject;

  using Verdict = std::optional<Diagnostic>;
  Verdict complain(std::string message, std::vector<std::string> details = {}) const {
    return Diagnostic{node.at, std::move(message), std::move(details)};
  }

  template <typename T>
  Verdict parsed(const Parsed<T>& result) const {
    return result ? Verdict() : complain(result.error());
  }

  Verdict in_bounds(int64_t value) const {
    if (value >= form.low && value <= form.high) return {};
    if (form.high == kHighest) {
      return complain(fmt::format("{} must be at least {}, not {}", subject, form.low, value));
    }
    return complain(
        fmt::format("{} must be in {}..{}, not {}", subject, form.low, form.high, value));
  }

  Verdict known(std::string_view what, std::string_view name,
                const std::vector<std::string>& names) const {
    if (std::ranges::find(names, name) != names.end()) return {};
    return unknown_name(node.at, what, name, names);
  }

  Verdict integer() const { return in_bounds(node.integer); }

  Verdict range() const {
    if (node.kind == Node::Kind::kInteger) return in_bounds(node.integer);
    const Parsed<Range<int64_t>> range = parse_integer_range(node.string);
    if (!range) return complain(range.error());
    // An end that is not written is the type's limit.
    if (range->low != kLowest) {
      if (Verdict verdict = in_bounds(range->low)) return verdict;
    }
    if (range->high != kHighest) return in_bounds(range->high);
    return {};
  }

  Verdict size() const {
    if (node.kind == Node::Kind::kInteger) return in_bounds(node.integer);
    const Parsed<uint64_t> size = parse_size(node.string);
    if (!size) return complain(size.error());
    if (*size > static_cast<uint64_t>(form.high)) {
      return complain(fmt::format("{} must be at most {}, not {}", subject,
                                  format_size(static_cast<uint64_t>(form.high)), node.string));
    }
    return in_bounds(static_cast<int64_t>(*size));
  }

  Verdict choice() const {
    if (std::ranges::find(form.choices, node.string) != form.choices.end()) return {};
    Diagnostic mistake = {node.at, fmt::format("{} cannot be '{}'", subject, node.string), {}};
    if (const std::optional<std::string> nearest = nearest_name(node.string, form.choices)) {
      mistake.details.push_back(fmt::format("did you mean '{}'?", *nearest));
    } else {
      mistake.details.push_back("known: " + fmt::format("{}", fmt::join(form.choices, ", ")));
    }
    return mistake;
  }

  Verdict poll_events() const {
    std::string_view rest = node.string;
    for (;;) {
      const size_t bar = rest.find('|');
      std::string_view name = rest.substr(0, bar);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      if (Verdict verdict = known("poll event", name, names_of(netrig::poll_events()))) {
        return verdict;
      }
      if (bar == std::string_view::npos) return {};
      rest.remove_prefix(bar + 1);
    }
  }

  Verdict direction() const {
    const std::optional<Arrow> arrow = parse_arrow(node.string);
    if (arrow && arrow->kind == "->") return {};
    return complain(
        fmt::format("'{}' is not a direction such as \"client -> server\"", node.string));
  }

  // Two words with an arrow between; what they mean depends on whether there is a run.
  Verdict flow() const {
    const std::string& text = node.string;
    const size_t arrow = text.find(" -> ");
    const bool split = arrow != std::string::npos;
    const std::string from = split ? text.substr(0, arrow) : "";
    const std::string to = split ? text.substr(arrow + 4) : "";
    auto is_word = [](const std::string& word) {
      return !word.empty() && word.find(' ') == std::string::npos;
    };
    if (is_word(from) && is_word(to)) return {};
    return direction();
  }

  Verdict text() const;
};

Judge::Verdict Judge::text() const {
  const std::string& text = node.string;
  switch (form.kind) {
    case Kind::kChoice:
      return choice();
    case Kind::kName:
      if (is_name(text)) return {};
      return complain(
          fmt::format("'{}' is not a name: letters, digits, '_' and '-', a letter first", text));
    case Kind::kVariableName:
      if (is_variable_name(text)) return {};
      return complain(fmt::format(
          "'{}' is not a variable's name: letters, digits and '_', no digit first", text));
    case Kind::kDuration:
      return parsed(parse_duration(text));
    case Kind::kDurationRange:
      return parsed(parse_duration_range(text));
    case Kind::kRate:
      return parsed(parse_rate(text));
    case Kind::kProbability:
      return parsed(parse_probability(text));
    case Kind::kHex:
      return parsed(parse_hex(text));
    case Kind::kMaskedHex:
      return parsed(parse_masked_hex(text));
    case Kind::kBase64:
      return parsed(parse_base64(text));
    case Kind::kErrno:
      return known("errno name", text, Errno::names());
    case Kind::kMessageFlag:
      return known("message flag", text, names_of(message_flags()));
    case Kind::kOptionName:
      return known("socket option", text, option_names());
    case Kind::kPollEvents:
      return poll_events();
    case Kind::kDirection:
      return direction();
    case Kind::kFlow:
      return flow();
    case Kind::kText:
    case Kind::kAddress:
    case Kind::kTarget: {
      const int64_t low = form.kind == Kind::kText ? form.low : 1;
      if (text.empty() && low > 0) return complain(fmt::format("{} is empty", subject));
      return {};
    }
    default:
      return {};  // kRegex: judged by RE2 when the model is built
  }
}

std::optional<Diagnostic> check_variable(const Judge& judge, const std::string& name,
                                         const std::vector<std::string>& load_time_names) {
  const Form& form = judge.form;
  const std::string whole = "${" + name + "}";
  if (form.run_time) {
    if (!takes_number(form.kind) || judge.node.string == whole) return {};
    return judge.complain(
        fmt::format("{} must be one variable alone, such as \"{}\"", judge.subject, whole));
  }
  std::vector<std::string> details;
  if (const std::optional<std::string> nearest = nearest_name(name, load_time_names)) {
    details.push_back(fmt::format("did you mean '${{{}}}'?", *nearest));
  }
  if (name.starts_with("env.")) {
    return judge.complain(fmt::format("'{}' is not in \"env\"", name.substr(4)),
                          {"a file names the environment variables that it takes"});
  }
  details.push_back(fmt::format("{} must be known when the file is loaded", judge.subject));
  return judge.complain(fmt::format("'{}' is not one of 'vars'", whole), std::move(details));
}

}  // namespace

bool takes_kind(const Form& form, const Node& node) {
  const Node::Kind kind = node.kind;
  switch (form.kind) {
    case Kind::kList:
      return kind == Node::Kind::kArray;
    case Kind::kPart:
      return kind == Node::Kind::kObject;
    case Kind::kBoolean:
    case Kind::kTrue:
      return kind == Node::Kind::kBoolean ||
             (kind == Node::Kind::kString && first_variable(node.string));
    case Kind::kInteger:
      return kind == Node::Kind::kInteger ||
             (kind == Node::Kind::kString && first_variable(node.string));
    case Kind::kIntegerRange:
    case Kind::kSize:
      return kind == Node::Kind::kInteger || kind == Node::Kind::kString;
    case Kind::kReal:
      return kind == Node::Kind::kReal || kind == Node::Kind::kInteger ||
             (kind == Node::Kind::kString && first_variable(node.string));
    case Kind::kAny:
      return true;
    default:
      return kind == Node::Kind::kString;
  }
}

std::optional<Diagnostic> check_scalar(const Form& form, const Node& node, std::string_view subject,
                                       const std::vector<std::string>& load_time_names) {
  if (form.kind == Kind::kAny) return {};
  const Judge judge = {form, node, subject};
  if (node.kind == Node::Kind::kString) {
    if (const std::optional<std::string> name = first_variable(node.string)) {
      return check_variable(judge, *name, load_time_names);
    }
  }
  switch (form.kind) {
    case Kind::kBoolean:
    case Kind::kReal:
      return {};
    case Kind::kTrue:
      if (node.boolean) return {};
      return judge.complain(fmt::format("{} is true, or left out", subject));
    case Kind::kInteger:
      return judge.integer();
    case Kind::kIntegerRange:
      return judge.range();
    case Kind::kSize:
      return judge.size();
    default:
      return judge.text();
  }
}

std::string describe(const Form& form) {
  switch (form.kind) {
    case Kind::kText:
      return "text";
    case Kind::kChoice: {
      std::vector<std::string> quoted;
      for (const std::string& word : form.choices) quoted.push_back("\"" + word + "\"");
      return join_or(quoted);
    }
    case Kind::kName:
      return "a name";
    case Kind::kVariableName:
      return "a variable's name";
    case Kind::kInteger:
      return "an integer";
    case Kind::kBoolean:
      return "true or false";
    case Kind::kTrue:
      return "true";
    case Kind::kDuration:
      return "a duration such as \"250ms\"";
    case Kind::kDurationRange:
      return "a duration or a range such as \"15ms..25ms\"";
    case Kind::kIntegerRange:
      return "an integer or a range such as \"20..30\"";
    case Kind::kSize:
      return "a size such as 1500 or \"64KiB\"";
    case Kind::kRate:
      return "a rate such as \"10mbit\"";
    case Kind::kProbability:
      return "a probability such as \"10%\"";
    case Kind::kHex:
      return "hex digits such as \"00 ff\"";
    case Kind::kMaskedHex:
      return "hex digits such as \"00 f?\"";
    case Kind::kReal:
      return "a number";
    case Kind::kAny:
      return "any value";
    case Kind::kBase64:
      return "base64 text";
    case Kind::kErrno:
      return "an errno's name such as \"ECONNREFUSED\"";
    case Kind::kMessageFlag:
      return "a flag such as \"MSG_PEEK\"";
    case Kind::kOptionName:
      return "a socket option such as \"SO_RCVBUF\"";
    case Kind::kPollEvents:
      return "events such as \"POLLIN|POLLOUT\"";
    case Kind::kRegex:
      return "a regular expression";
    case Kind::kAddress:
      return "an address such as \"tcp\" or \"unix:/run/x\"";
    case Kind::kTarget:
      return "an actor's name or an address";
    case Kind::kDirection:
    case Kind::kFlow:
      return "a direction such as \"client -> server\"";
    case Kind::kList:
      return "a list";
    case Kind::kPart:
      return "an object";
  }
  return "a value";
}

std::string describe(const Forms& forms) {
  std::vector<std::string> words;
  for (const Form& form : forms) words.push_back(describe(form));
  return join_or(words);
}

std::optional<std::string> first_variable(std::string_view text) {
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    if (at > 0 && text[at - 1] == '$') continue;
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return std::string(text.substr(at + 2));
    return std::string(text.substr(at + 2, end - at - 2));
  }
  return std::nullopt;
}

}  // namespace netrig
