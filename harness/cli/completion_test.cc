#include "harness/cli/completion.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "harness/cli/manual.h"

namespace netrig {
namespace {

// A command line with one of each kind. What shells make of the scripts: pytests/test_runner.py.
CommandLineOutline example() {
  CLI::App app("It's a program", "netrig");
  auto value = std::make_shared<std::string>();
  auto flag = std::make_shared<bool>();
  auto values = std::make_shared<std::vector<std::string>>();
  app.set_version_flag("--version", "1");
  CLI::App* play = app.add_subcommand("play", "Plays: all [of] them");
  play->add_option("PATH", *values, "files")->type_name(" ");
  play->add_option("--color", *value, "when")->type_name("auto|never");
  play->add_option("-o,--out", *value, "where")->type_name("DIR");
  play->add_option("--log", *value, "it's here")->type_name("FILE");
  play->add_option("--set", *values, "a value")->allow_extra_args(false)->type_name("NAME=VALUE");
  play->add_flag("-q,--quiet", *flag, "less");
  play->footer("Examples:\n  netrig play .x\n");
  app.add_subcommand("look", "Looks")->add_option("WHAT", *value, "x")->type_name("here|there");
  return outline_of(app);
}

const OptionOutline& option(const CommandOutline& command, const std::string& name) {
  for (const OptionOutline& one : command.options) {
    for (const std::string& known : one.names) {
      if (known == name) return one;
    }
  }
  ADD_FAILURE() << name;
  return command.options[0];
}

TEST(Outline, KnowsWhatAnOptionTakes) {
  const CommandLineOutline outline = example();
  ASSERT_EQ(outline.commands.size(), 2u);
  const CommandOutline& play = outline.commands[0];
  EXPECT_EQ(play.name, "play");
  EXPECT_EQ(option(play, "--color").kind, ValueKind::kChoice);
  EXPECT_EQ(option(play, "--color").choices, (std::vector<std::string>{"auto", "never"}));
  EXPECT_EQ(option(play, "-o").kind, ValueKind::kFolder);
  EXPECT_EQ(option(play, "-o").names, (std::vector<std::string>{"-o", "--out"}));
  EXPECT_EQ(option(play, "--log").kind, ValueKind::kFile);
  EXPECT_EQ(option(play, "--set").kind, ValueKind::kText);
  EXPECT_TRUE(option(play, "--set").is_repeatable);
  EXPECT_FALSE(option(play, "--log").is_repeatable);
  EXPECT_EQ(option(play, "-q").kind, ValueKind::kNone);
  EXPECT_EQ(option(play, "--help").kind, ValueKind::kNone);
  ASSERT_EQ(play.places.size(), 1u);
  EXPECT_EQ(play.places[0].kind, ValueKind::kScenarios);
  EXPECT_EQ(play.places[0].value, "PATH");
  EXPECT_EQ(outline.commands[1].places[0].kind, ValueKind::kChoice);
}

TEST(Completion, QuotesForEachShell) {
  const CommandLineOutline outline = example();
  EXPECT_NE(zsh_completion(outline).find("'play:Plays\\: all \\[of\\] them'"), std::string::npos);
  EXPECT_NE(zsh_completion(outline).find("'--log=[it'\\''s here]:FILE:_files'"), std::string::npos);
  EXPECT_NE(fish_completion(outline).find("-l log -r -F -d 'it\\'s here'"), std::string::npos);
  EXPECT_NE(bash_completion(outline).find("--color) follows=yes kind=words words='auto never' ;;"),
            std::string::npos);
}

// A '.' at the start of a line would be a request to roff.
TEST(Manual, EscapesWhatRoffWouldTakeForItself) {
  const std::string page = manual_page(example(), "1.2");
  EXPECT_NE(page.find(".SS netrig play\nPlays: all [of] them.\n"), std::string::npos) << page;
  EXPECT_NE(page.find("\\fB\\-o\\fR, \\fB\\-\\-out\\fR \\fIDIR\\fR\n"), std::string::npos);
  EXPECT_NE(page.find(".TP\n\\fIPATH\\fR\nfiles\n"), std::string::npos);
}

}  // namespace
}  // namespace netrig
