#include "harness/cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/text.h"

namespace netrig {

namespace {

// man(7) "Fonts", groff_char(7): a backslash, a '-' that can be copied into a shell, and a line
// that must not begin with a control character.
std::string roff(const std::string& text) {
  std::string escaped;
  bool at_start = true;
  for (char c : text) {
    if (at_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    at_start = c == '\n';
  }
  return escaped;
}

std::string as_it_stands(const std::string& text) {
  return ".nf\n" + roff(text) + (text.ends_with('\n') ? "" : "\n") + ".fi\n";
}

std::string entry(const OptionOutline& option) {
  std::string head = option.names.empty() ? fmt::format("\\fI{}\\fR", roff(option.value)) : "";
  for (const std::string& name : option.names) {
    head += (head.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", roff(name));
  }
  if (!option.names.empty() && !option.value.empty()) {
    head += fmt::format(" \\fI{}\\fR", roff(option.value));
  }
  return fmt::format(".TP\n{}\n{}\n", head, roff(option.text));
}

std::string section(const CommandOutline& command) {
  std::string text = fmt::format(".SS netrig {}\n{}.\n", roff(command.name), roff(command.text));
  for (const OptionOutline& place : command.places) text += entry(place);
  for (const OptionOutline& option : command.options) text += entry(option);
  if (!command.footer.empty()) text += ".PP\n" + as_it_stands(command.footer);
  return text;
}

}  // namespace

std::string manual_page(const CommandLineOutline& outline, const std::string& version) {
  std::string text = fmt::format(
      ".TH NETRIG 1 \"\" \"netrig {}\" \"User Commands\"\n"
      ".SH NAME\nnetrig \\- plays client/server exchanges written in JSON and checks what crossed "
      "the wire\n"
      ".SH SYNOPSIS\n.B netrig\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIPATH\\fR...]\n"
      ".SH DESCRIPTION\n{}\n.PP\n",
      roff(version), roff(outline.program.text));
  text += as_it_stands(outline.program.footer);
  text += ".SH OPTIONS\n";
  for (const OptionOutline& option : outline.program.options) text += entry(option);
  text += ".SH COMMANDS\n";
  for (const CommandOutline& command : outline.commands) text += section(command);
  return text;
}

}  // namespace netrig
