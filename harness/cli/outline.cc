#include "harness/cli/outline.h"

#include <CLI/CLI.hpp>

namespace netrig {

namespace {

std::vector<std::string> split_choices(const std::string& type) {
  std::vector<std::string> choices;
  for (size_t at = 0; at <= type.size();) {
    const size_t end = std::min(type.find('|', at), type.size());
    choices.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return choices;
}

OptionOutline outline_of_option(const CLI::Option& option) {
  OptionOutline outline;
  for (const std::string& name : option.get_snames()) outline.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) outline.names.push_back("--" + name);
  outline.text = option.get_description();
  const bool takes_value = option.get_items_expected_max() > 0;
  outline.is_repeatable = option.get_items_expected_max() > 1 ||
                          option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (!takes_value) return outline;
  const std::string type = option.get_type_name();
  outline.value = option.get_positional() ? option.get_name(true) : type;
  if (type.find('|') != std::string::npos) {
    outline.kind = ValueKind::kChoice;
    outline.choices = split_choices(type);
  } else if (outline.value == "PATH" || (option.get_positional() && outline.value == "FILE")) {
    outline.kind = ValueKind::kScenarios;
  } else if (option.get_positional() || type == "FILE") {
    outline.kind = ValueKind::kFile;
  } else {
    outline.kind = type == "DIR" ? ValueKind::kFolder : ValueKind::kText;
  }
  return outline;
}

CommandOutline outline_of_command(const CLI::App& app) {
  CommandOutline outline{app.get_name(), app.get_description(), app.get_footer(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    auto& list = option->get_positional() ? outline.places : outline.options;
    list.push_back(outline_of_option(*option));
  }
  return outline;
}

}  // namespace

CommandLineOutline outline_of(const CLI::App& app) {
  CommandLineOutline outline{outline_of_command(app), {}};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    outline.commands.push_back(outline_of_command(*command));
  }
  return outline;
}

}  // namespace netrig
