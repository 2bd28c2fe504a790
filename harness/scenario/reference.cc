// The format's table as Markdown: the generated part of scenarios/README.md.
#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/reader.h"

namespace netrig {

namespace {

using Kind = Form::Kind;
using Limits = std::numeric_limits<int64_t>;

constexpr std::string_view kValues =
    R"(### Values

| value | written | |
|---|---|---|
| text | `"ping"` | UTF-8; text *with variables* may hold names that only the run knows, )"
    R"(such as `${i}` |
| name | `"client-1"` | letters, digits, `_` and `-`, a letter first |
| variable's name | `"size"` | letters, digits and `_`, no digit first |
| integer | `5` | where a variable is allowed also `"${n}"`, alone in its string |
| duration | `"250ms"` | units `ns us ms s min h`; never without a unit |
| size | `1500`, `"64KiB"` | octets; units `B kB MB GB KiB MiB GiB` |
| rate | `"10mbit"` | bits per second; units `bit kbit mbit gbit tbit` |
| probability | `"0.5%"` | at most four decimals |
| range | `5`, `"852..948"`, `"..60ms"`, `"20.."` | both ends are inside; one end may be left out |
| errno | `"ECONNREFUSED"` | any errno's name, and `TIMEOUT` (a deadline passed) and )"
    R"(`EOF` (the peer closed) |
| address | `"tcp"`, `"tcp://:8080"`, `"udp6://[::1]:53"`, `"unix:${tmp}/a.sock"`, `"unix:@name"` )"
    R"(| a transport (`tcp udp tcp6 udp6 unix unix_dgram unix_seqpacket`), then host and port, )"
    R"(or path, or abstract name; what is left out netrig chooses |
| target | `"server"` | an actor's name, which stands for its address; or an address |
| direction | `"client -> server"` | two hosts |
| regular expression | `"[0-9]+"` | RE2; named groups `(?P<name>...)` become variables |

Every value that is not a list or an object may be written with a variable of `vars`. Keys never.
)";

std::string code(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return "`" + escaped + "`";
}

std::string heading(const ObjectFormat& format) {
  std::string title = format.title;
  title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

std::string link_to(const ObjectFormat& format) {
  std::string anchor = format.title;
  std::ranges::replace(anchor, ' ', '-');
  return fmt::format("[{}](#{})", format.title, anchor);
}

std::string written(const Forms& forms);

std::string bounds(const Form& form) {
  const bool any_low = form.low <= std::numeric_limits<int32_t>::min();
  const bool any_high = form.high >= std::numeric_limits<int32_t>::max();
  if (any_low && any_high) return "";
  if (any_high) return form.low == 0 ? "" : fmt::format(" from {}", form.low);
  return fmt::format(" {}..{}", form.low, form.high);
}

std::string written(const Form& form) {
  switch (form.kind) {
    case Kind::kText:
      return form.run_time ? "text with variables" : "text";
    case Kind::kChoice: {
      std::vector<std::string> words;
      for (const std::string& word : form.choices) words.push_back(code("\"" + word + "\""));
      return fmt::format("{}", fmt::join(words, " "));
    }
    case Kind::kName:
      return "name";
    case Kind::kVariableName:
      return "variable's name";
    case Kind::kInteger:
      return "integer" + bounds(form) + (form.run_time ? " or variable" : "");
    case Kind::kBoolean:
      return "`true` `false`";
    case Kind::kTrue:
      return "`true`";
    case Kind::kDuration:
      return "duration";
    case Kind::kDurationRange:
      return "range of durations";
    case Kind::kIntegerRange:
      return "range of integers" + bounds(form);
    case Kind::kSize:
      return form.run_time ? "size or variable" : "size";
    case Kind::kRate:
      return "rate";
    case Kind::kProbability:
      return "probability";
    case Kind::kHex:
      return "hex digits";
    case Kind::kMaskedHex:
      return "hex digits and `?`";
    case Kind::kReal:
      return "number or variable";
    case Kind::kAny:
      return "any value";
    case Kind::kBase64:
      return "base64";
    case Kind::kErrno:
      return "errno";
    case Kind::kMessageFlag:
      return "`\"MSG_...\"`";
    case Kind::kOptionName:
      return "a socket option's name";
    case Kind::kPollEvents:
      return code("\"POLLIN|POLLOUT\"");
    case Kind::kRegex:
      return "regular expression";
    case Kind::kAddress:
      return form.choices.size() == 7 ? "address"
                                      : fmt::format("address ({})", fmt::join(form.choices, ", "));
    case Kind::kTarget:
      return "target";
    case Kind::kDirection:
    case Kind::kFlow:
      return "direction";
    case Kind::kList: {
      if (form.low == form.high)
        return fmt::format("list of {}: {}", form.low, written(form.element));
      return "list of: " + written(form.element);
    }
    case Kind::kPart:
      return link_to(format_of(form.part));
  }
  return "";
}

// Text, object or list of a payload are told in its own section.
std::string written(const Forms& forms) {
  std::vector<std::string> ways;
  const bool octets = std::ranges::any_of(forms, [](const Form& form) {
    return form.kind == Kind::kPart && (form.part == Part::kPayload || form.part == Part::kMatcher);
  });
  for (const Form& form : forms) {
    const bool told = octets && (form.kind == Kind::kText || form.kind == Kind::kList);
    if (!told) ways.push_back(written(form));
  }
  return fmt::format("{}", fmt::join(ways, ", or "));
}

std::string shown_example(const KeyFormat& key) {
  return key.example.empty() ? "" : code(key.example);
}

std::string escaped(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

void add_keys(std::string& out, const std::vector<KeyFormat>& keys) {
  out += "| key | value | example | without it | meaning |\n|---|---|---|---|---|\n";
  for (size_t i = 0; i < keys.size(); ++i) {
    const KeyFormat& key = keys[i];
    std::string names = code(key.name);
    // Keys that differ in nothing but their names stand in one row (socket options).
    while (i + 1 < keys.size() && keys[i + 1].doc == key.doc &&
           written(keys[i + 1].forms) == written(key.forms)) {
      names += " " + code(keys[++i].name);
    }
    const std::string without = key.required ? "required" : key.fallback;
    const std::string beside = key.needs.empty() ? "" : fmt::format(" (only with `{}`)", key.needs);
    out += fmt::format("| {} | {} | {} | {} | {}{} |\n", names, written(key.forms),
                       shown_example(key), without, escaped(key.doc), beside);
  }
}

void add_own_keys(std::string& out, const std::vector<const Variant*>& variants) {
  std::string rows;
  for (const Variant* variant : variants) {
    for (const KeyFormat& key : variant->keys) {
      rows += fmt::format("| {} | {} | {} | {} | {} |\n", code(variant->head.name), code(key.name),
                          written(key.forms), key.required ? "required" : key.fallback,
                          escaped(key.doc));
    }
  }
  if (rows.empty()) return;
  out += "\n| beside | key | value | without it | meaning |\n|---|---|---|---|---|\n" + rows;
}

void add_variants(std::string& out, const ObjectFormat& format,
                  const std::vector<const Variant*>& variants) {
  out += fmt::format("| {} | value | meaning |\n|---|---|---|\n", format.head_word);
  for (const Variant* variant : variants) {
    out += fmt::format("| {} | {} | {} |\n", code(variant->head.name), written(variant->head.forms),
                       escaped(variant->head.doc));
  }
  add_own_keys(out, variants);
  out += "\n```json\n";
  for (const Variant* variant : variants) out += variant->example + "\n";
  out += "```\n";
}

void add_modifiers(std::string& out, const ObjectFormat& format) {
  out +=
      "\n**Modifiers**\n\n| modifier | value | without it | meaning | goes with |\n"
      "|---|---|---|---|---|\n";
  for (const KeyFormat& key : format.keys) {
    std::vector<std::string> with;
    std::vector<std::string> without;
    for (const Variant& variant : format.variants) {
      const bool takes = std::ranges::find(variant.shared, key.name) != variant.shared.end();
      (takes ? with : without).push_back(variant.head.name);
    }
    std::string range = fmt::format("{}", fmt::join(with, " "));
    if (without.size() < with.size()) {
      range = without.empty() ? "all" : fmt::format("all but {}", fmt::join(without, " "));
    }
    out += fmt::format("| {} | {} | {} | {} | {} |\n", code(key.name), written(key.forms),
                       key.fallback, escaped(key.doc), range);
  }
}

// The section that told of most of what this one has: nothing is told twice.
const ObjectFormat* told_before(const ObjectFormat& format) {
  if (format.part == Part::kMatcher) return &format_of(Part::kPayload);
  if (format.part == Part::kSequencePart) return &format_of(Part::kMatcher);
  return nullptr;
}

std::vector<KeyFormat> new_keys(const ObjectFormat& format) {
  const ObjectFormat* before = told_before(format);
  std::vector<KeyFormat> keys = format.keys;
  if (before == nullptr) return keys;
  std::erase_if(keys, [&](const KeyFormat& key) {
    const KeyFormat* told = find_key(before->keys, key.name);
    return told != nullptr && told->doc == key.doc;
  });
  return keys;
}

bool is_told(const ObjectFormat& format, const Variant& variant) {
  const ObjectFormat* before = told_before(format);
  const Variant* told = before == nullptr ? nullptr : find_variant(*before, variant.head.name);
  return told != nullptr && told->head.doc == variant.head.doc;
}

void add_object(std::string& out, const ObjectFormat& format) {
  out += fmt::format("\n### {}\n\n{}\n\n", heading(format), format.doc);
  if (format.variants.empty() || format.headless) add_keys(out, new_keys(format));
  std::vector<std::string> groups;
  for (const Variant& variant : format.variants) {
    if (std::ranges::find(groups, variant.group) == groups.end()) groups.push_back(variant.group);
  }
  for (const std::string& group : groups) {
    std::vector<const Variant*> variants;
    for (const Variant& variant : format.variants) {
      if (variant.group == group && !is_told(format, variant)) variants.push_back(&variant);
    }
    if (variants.empty()) continue;
    if (!group.empty()) out += fmt::format("\n**Verbs: {}**\n\n", group);
    if (format.headless) out += "\n";
    add_variants(out, format, variants);
  }
  if (!format.variants.empty() && !format.headless && !format.keys.empty()) {
    add_modifiers(out, format);
  }
}

}  // namespace

std::string scenario_format_reference() {
  std::string out(kValues);
  // The order in which a reader needs them: the table's, but payloads and matchers before the small
  // objects of single verbs.
  for (const Part part : {Part::kFile,
                          Part::kProgram,
                          Part::kExpectedFailure,
                          Part::kTakenEnvironment,
                          Part::kMatrix,
                          Part::kMatrixRow,
                          Part::kVars,
                          Part::kParts,
                          Part::kPart,
                          Part::kArguments,
                          Part::kActors,
                          Part::kActor,
                          Part::kStep,
                          Part::kPayload,
                          Part::kMatcher,
                          Part::kSequencePart,
                          Part::kUntil,
                          Part::kSaveIntegers,
                          Part::kOptions,
                          Part::kSocketType,
                          Part::kPollSet,
                          Part::kPollEntry,
                          Part::kAddressParts,
                          Part::kNetwork,
                          Part::kLink,
                          Part::kRule,
                          Part::kRuleDelay,
                          Part::kRuleMatch,
                          Part::kDelay,
                          Part::kLoss,
                          Part::kGemodel,
                          Part::kLossState,
                          Part::kChance,
                          Part::kReorder,
                          Part::kRate,
                          Part::kQueue,
                          Part::kEvent,
                          Part::kLinks,
                          Part::kRung,
                          Part::kPackets,
                          Part::kExpectation}) {
    add_object(out, format_of(part));
  }
  return out;
}

}  // namespace netrig
