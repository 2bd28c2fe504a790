#pragma once
// The scenario format, told once: every object, key, type, bound, default, sentence and example.
// The validator, the JSON Schema, the format reference and the list of verbs all come from this
// table. It is built once per process and never changes. It holds no code for any key: what keys
// mean together with the rest of the file is known to the model's builder only.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/model.h"
#include "harness/scenario/node.h"

namespace netrig {

// The kinds of object that the format has.
enum class Part : uint8_t {
  kFile,
  kProgram,
  kExpectedFailure,
  kTakenEnvironment,
  kMatrix,
  kMatrixRow,
  kVars,
  kParts,
  kPart,
  kArguments,
  kNetwork,
  kLink,
  kRule,
  kRuleDelay,
  kRuleMatch,
  kDelay,
  kLoss,
  kGemodel,
  kLossState,
  kChance,
  kReorder,
  kRate,
  kQueue,
  kEvent,
  kLinks,
  kActors,
  kActor,
  kOptions,
  kStep,
  kSocketType,
  kPollSet,
  kPollEntry,
  kUntil,
  kSaveIntegers,
  kAddressParts,
  kPayload,
  kMatcher,
  kSequencePart,
  kRung,
  kProcesses,
  kProcess,
  kEnvironment,
  kFiles,
  kReady,
  kStop,
  kRelays,
  kRelay,
  kPackets,
  kExpectation,
};

// One way to write a value. A key takes one of several forms.
struct Form {
  enum class Kind : uint8_t {
    kText,          // a string, at least `low` characters
    kChoice,        // one of `choices`
    kName,          // of an actor, host, socket or tag: [A-Za-z][A-Za-z0-9_-]*
    kVariableName,  // [A-Za-z_][A-Za-z0-9_]*
    kInteger,       // low..high
    kReal,          // 1.5
    kBoolean,
    kTrue,           // only `true`
    kDuration,       // "250ms"
    kDurationRange,  // "15ms..25ms", "..5ms", "20ms"
    kIntegerRange,   // 5, "852..948", "20.."; both ends in low..high
    kSize,           // 1500, "64KiB"; low..high octets
    kRate,           // "10mbit"
    kProbability,    // "10%"
    kHex,            // "00 05 68 65"
    kMaskedHex,      // "45 00 ?? ??"
    kBase64,
    kErrno,        // "ECONNREFUSED", "TIMEOUT", "EOF"
    kMessageFlag,  // "MSG_PEEK"
    kOptionName,   // "SO_RCVBUF"
    kPollEvents,   // "POLLIN|POLLOUT"
    kRegex,        // RE2
    kAddress,      // "tcp://:80"; of the transports in `choices`
    kTarget,       // an actor's name or an address
    kDirection,    // "client -> server"
    kFlow,         // a direction, or "10.0.0.1:40000 -> 10.0.0.2:80" (of a capture without a run)
    kList,         // low..high elements, each one of `element`
    kPart,         // an object, as `part` says
    kAny,          // whatever JSON has
  };
  Kind kind = Kind::kText;
  bool run_time = false;  // may hold ${...} of the run; a number: as a lone "${x}"
  int64_t low = 0;
  int64_t high = std::numeric_limits<int64_t>::max();
  std::vector<std::string> choices{};
  std::vector<Form> element{};
  Part part = Part::kFile;
};
using Forms = std::vector<Form>;

// How a key is written in the file.
enum class KeyPattern : uint8_t {
  kExact,     // as `name` says
  kName,      // any name of an actor, host or socket; `name` is how documents call it
  kVariable,  // any name of a variable
  kText,      // any text but the empty one
  kLink,      // "a -> b" or "a <-> b"
  kRung,      // "a -> b" or "a -x b"
};

struct KeyFormat {
  std::string name{};
  Forms forms{};
  std::string doc{};       // a sentence without a full stop
  std::string example{};   // JSON of a value; may be empty
  std::string fallback{};  // what holds without it, as told to readers; may be empty
  std::string needs{};     // makes sense only beside this key; empty: always
  bool required = false;
  KeyPattern pattern = KeyPattern::kExact;
};

// An object whose one head key (a verb, a payload's form, an expectation's kind) says which others
// go with it.
struct Variant {
  KeyFormat head{};
  std::vector<KeyFormat> keys{};      // its own
  std::vector<std::string> shared{};  // names of the object's `keys` that it also takes
  std::string group{};                // "messages", "the socket API", "control"
  std::string example{};              // JSON of a whole object
  bool needs_own = false;             // says nothing without one of its own keys
};

struct ObjectFormat {
  Part part = Part::kFile;
  std::string name{};   // "step": the schema's definition
  std::string title{};  // "a step"
  std::string doc{};
  std::string head_word{};        // "verb"; empty: no variants
  std::vector<KeyFormat> keys{};  // of every object, or what variants share
  std::vector<Variant> variants{};
  bool headless = false;      // variants, but `keys` alone are an object too
  bool at_least_one = false;  // an empty object (of `keys`) is a mistake
  std::vector<std::vector<std::string>> at_most_one{};  // groups of keys that exclude each other
};

const std::vector<ObjectFormat>& format_table();
const ObjectFormat& format_of(Part part);

// `key` of an object; fits also keys that are patterns ("client -> server"). Null if there is none.
const KeyFormat* find_key(const std::vector<KeyFormat>& keys, std::string_view key);
const Variant* find_variant(const ObjectFormat& object, std::string_view head);

// ---------------------------------------------------------------- for the model's builder

const std::vector<std::string>& verb_names();               // in the order of Verb
std::optional<Verb> verb_from_name(std::string_view name);  // "send_to"; verb_name() is its inverse
const Member* find_verb(const Node& step);                  // its verb's member; null if none

// "a -> b", "a <-> b", "a -x b": its parts, white space around names ignored; nothing if malformed.
struct Arrow {
  std::string from;
  std::string kind;  // "->", "<->", "-x"
  std::string to;
};
std::optional<Arrow> parse_arrow(std::string_view text);

bool is_name(std::string_view text);           // [A-Za-z][A-Za-z0-9_-]*
bool is_variable_name(std::string_view text);  // [A-Za-z_][A-Za-z0-9_]*

// "u16be" and its like, and "f32be" and its like.
struct NumberForm {
  std::string name;
  uint8_t octets;
  bool is_signed;
  bool little_endian;
  bool is_real;  // IEEE 754
};
const std::vector<NumberForm>& number_forms();
const NumberForm* find_number_form(std::string_view name);

}  // namespace netrig
