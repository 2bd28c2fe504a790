#include "harness/cli/completion.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netrig {

namespace {

std::vector<std::string> command_names(const CommandLineOutline& outline) {
  std::vector<std::string> names;
  for (const CommandOutline& command : outline.commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> option_names(const CommandOutline& command) {
  std::vector<std::string> names;
  for (const OptionOutline& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// In single quotes of a POSIX shell; fish's too, where a backslash means something in them.
std::string quoted(const std::string& text, bool is_fish = false) {
  std::string inside;
  for (char c : text) {
    if (c == '\'') {
      inside += is_fish ? "\\'" : "'\\''";
    } else {
      if (c == '\\' && is_fish) inside += '\\';
      inside += c == '\n' ? ' ' : c;
    }
  }
  return "'" + inside + "'";
}

// ---- bash

// What follows an option, or stands in a place: assignments that the tail of the function reads.
std::string bash_value(const OptionOutline& option) {
  switch (option.kind) {
    case ValueKind::kChoice:
      return fmt::format("kind=words words='{}'", fmt::join(option.choices, " "));
    case ValueKind::kFile:
      return "kind=files";
    case ValueKind::kFolder:
      return "kind=folders";
    case ValueKind::kScenarios:
      return "kind=scenarios";
    case ValueKind::kNone:
    case ValueKind::kText:
      return "kind=nothing";
  }
  return "kind=nothing";
}

std::string bash_command(const CommandOutline& command) {
  std::string text = fmt::format("    {})\n", command.name);
  text += fmt::format("      options='{}'\n", fmt::join(option_names(command), " "));
  text +=
      "      " + (command.places.empty() ? "kind=nothing" : bash_value(command.places[0])) + "\n";
  text += "      case $previous in\n";
  for (const OptionOutline& option : command.options) {
    if (option.kind == ValueKind::kNone) continue;
    text += fmt::format("        {}) follows=yes {} ;;\n", fmt::join(option.names, "|"),
                        bash_value(option));
  }
  return text + "      esac ;;\n";
}

constexpr const char* kBashHead = R"(# bash completion for netrig, made by: netrig completion bash
_netrig() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command='' options='' words='' kind=nothing follows='' at
  # readline splits --color=always at the '='.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for (( at = 1; at < COMP_CWORD; at++ )); do
    if [[ ${COMP_WORDS[at]} != -* ]]; then command=${COMP_WORDS[at]}; break; fi
  done
  case $command in
)";

constexpr const char* kBashTail = R"(    *) return ;;
  esac
  if [[ ! $follows && $current == -* ]]; then kind=words words=$options; fi
  local IFS=$'\n'
  case $kind in
    words) COMPREPLY=($(IFS=' '; compgen -W "$words" -- "$current")) ;;
    files) COMPREPLY=($(compgen -f -- "$current")) ;;
    folders) COMPREPLY=($(compgen -d -- "$current")) ;;
    scenarios) COMPREPLY=($(compgen -d -- "$current"; compgen -f -X '!*.json' -- "$current")) ;;
  esac
  # An error of compopt: it is not readline that asks (a test).
  if [[ $kind != words ]]; then compopt -o filenames 2>/dev/null; fi
  return 0
}
complete -F _netrig netrig
)";

// ---- zsh

// Inside "[...]" and between ':' of an _arguments specification.
std::string zsh_escaped(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_action(const OptionOutline& option) {
  switch (option.kind) {
    case ValueKind::kChoice:
      return fmt::format("({})", fmt::join(option.choices, " "));
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kFolder:
      return "_files -/";
    case ValueKind::kScenarios:
      return "_files -g \"*.json(-.)\"";
    case ValueKind::kNone:
    case ValueKind::kText:
      return " ";
  }
  return " ";
}

std::string zsh_value(const OptionOutline& option) {
  return fmt::format(":{}:{}", zsh_escaped(option.value), zsh_action(option));
}

std::string zsh_command(const CommandOutline& command) {
  std::string text = fmt::format("    {})\n      _arguments -s", command.name);
  for (const OptionOutline& option : command.options) {
    for (const std::string& name : option.names) {
      const bool takes_value = option.kind != ValueKind::kNone;
      const char* joined = takes_value && name.starts_with("--") ? "=" : "";
      std::string specification = fmt::format("{}{}{}[{}]", option.is_repeatable ? "*" : "", name,
                                              joined, zsh_escaped(option.text));
      if (takes_value) specification += zsh_value(option);
      text += " \\\n        " + quoted(specification);
    }
  }
  for (const OptionOutline& place : command.places) {
    const std::string specification = (place.is_repeatable ? "*" : "") + zsh_value(place);
    text += " \\\n        " + quoted(specification);
  }
  return text + " ;;\n";
}

// ---- fish

std::string fish_value(const OptionOutline& option) {
  switch (option.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kChoice:
      return fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
    case ValueKind::kFile:
    case ValueKind::kScenarios:
      return " -r -F";
    case ValueKind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kText:
      return " -x";
  }
  return "";
}

std::string fish_command(const CommandOutline& command) {
  const std::string when =
      fmt::format("complete -c netrig -n '__fish_seen_subcommand_from {}'", command.name);
  std::string text;
  for (const OptionOutline& option : command.options) {
    text += when;
    for (const std::string& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    text += fish_value(option) + " -d " + quoted(option.text, true) + "\n";
  }
  const bool takes_files = !command.places.empty() && command.places[0].kind != ValueKind::kChoice;
  if (!takes_files) text += when + " -f\n";
  if (!takes_files && !command.places.empty()) {
    text += fmt::format("{} -a '{}'\n", when, fmt::join(command.places[0].choices, " "));
  }
  return text;
}

}  // namespace

std::string bash_completion(const CommandLineOutline& outline) {
  std::string text = kBashHead;
  std::vector<std::string> first = command_names(outline);
  const std::vector<std::string> options = option_names(outline.program);
  first.insert(first.end(), options.begin(), options.end());
  text += fmt::format("    '') kind=words words='{}' ;;\n", fmt::join(first, " "));
  for (const CommandOutline& command : outline.commands) text += bash_command(command);
  return text + kBashTail;
}

std::string zsh_completion(const CommandLineOutline& outline) {
  std::string text =
      "#compdef netrig\n# zsh completion for netrig, made by: netrig completion zsh\n"
      "_netrig() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const CommandOutline& command : outline.commands) {
    text += "    " + quoted(command.name + ":" + zsh_escaped(command.text)) + "\n";
  }
  text += fmt::format(
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe -t commands command commands\n"
      "    compadd -- {}\n"
      "    return\n"
      "  fi\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $words[1] in\n",
      fmt::join(option_names(outline.program), " "));
  for (const CommandOutline& command : outline.commands) text += zsh_command(command);
  return text +
         "  esac\n"
         "}\n"
         "# As a file of $fpath it is the function's body; sourced, it defines it.\n"
         "if [[ $funcstack[1] == _netrig ]]; then\n"
         "  _netrig \"$@\"\n"
         "else\n"
         "  compdef _netrig netrig\n"
         "fi\n";
}

std::string fish_completion(const CommandLineOutline& outline) {
  std::string text = "# fish completion for netrig, made by: netrig completion fish\n";
  for (const CommandOutline& command : outline.commands) {
    text += fmt::format("complete -c netrig -n __fish_use_subcommand -f -a {} -d {}\n",
                        command.name, quoted(command.text, true));
  }
  for (const std::string& name : option_names(outline.program)) {
    text += fmt::format("complete -c netrig -n __fish_use_subcommand -f -a {}\n", quoted(name));
  }
  for (const CommandOutline& command : outline.commands) text += fish_command(command);
  return text;
}

}  // namespace netrig
