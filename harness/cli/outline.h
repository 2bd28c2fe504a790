#pragma once
// The command line as plain data, read off CLI11's own definitions: what shell completion and the
// manual page are made of, so that neither can say something else than the program. Parses nothing.

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace netrig {

enum class ValueKind : uint8_t { kNone, kText, kFile, kFolder, kScenarios, kChoice };

struct OptionOutline {
  std::vector<std::string> names;  // "-q", "--quiet"; empty for what has its place instead
  std::string value;               // "FILE", "PATH"; empty if it takes none
  std::string text;
  ValueKind kind = ValueKind::kNone;
  std::vector<std::string> choices;
  bool is_repeatable = false;
};

struct CommandOutline {
  std::string name, text, footer;
  std::vector<OptionOutline> options;  // --help among them
  std::vector<OptionOutline> places;   // positional arguments
};

struct CommandLineOutline {
  CommandOutline program;  // its own options
  std::vector<CommandOutline> commands;
};

// What an option's value is, is said by its type name there: FILE, DIR, "one|of|these". PATH and
// FILE in place are scenarios.
CommandLineOutline outline_of(const CLI::App& app);

}  // namespace netrig
