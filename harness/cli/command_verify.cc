#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "harness/base/text.h"
#include "harness/capture/capture_reader.h"
#include "harness/cli/command.h"
#include "harness/cli/exit_status.h"
#include "harness/expect/expect.h"
#include "harness/report/escape.h"

namespace netrig {

namespace {

struct VerifyArguments {
  std::string capture, expectations;
  bool quiet = false;
};

int verify(const VerifyArguments& arguments, Console& console) {
  auto complain = [&](const std::string& message) {
    console.error("netrig verify: " + printable_line(message) + "\n");
  };
  ReadResult file = read_expectations(arguments.expectations);
  if (!file.scenario) {
    console.error(mistakes_of(file));
    return kExitBadFile;
  }
  if (file.scenario->expectations.empty()) {
    complain(arguments.expectations + " expects nothing: there is nothing to verify");
    return kExitNothingRan;
  }
  auto recording = read_capture_file(arguments.capture);
  if (!recording) {
    complain(arguments.capture + ": " + recording.error());
    return kExitBadFile;
  }
  for (const std::string& note : recording->notes) complain(arguments.capture + ": " + note);

  std::vector<Finding> findings = judge_recording(*file.scenario, *recording);
  std::string text;
  for (const Finding& finding : findings) {
    text += format_diagnostic(*file.source, finding.diagnostic);
  }
  if (!text.empty()) text += "\n";
  if (!arguments.quiet || !findings.empty()) {
    text += fmt::format("{}  {} against {}: {}, {}, {}\n", findings.empty() ? "PASS" : "FAIL",
                        arguments.capture, arguments.expectations,
                        plural(recording->packets.size(), "packet"),
                        plural(file.scenario->expectations.size(), "expectation"),
                        plural(findings.size(), "finding"));
  }
  console.out(printable(text));
  return findings.empty() ? kExitPass : kExitFail;
}

}  // namespace

void add_verify_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand("verify", "Checks a capture that something else made");
  command
      ->add_option("CAPTURE", arguments->capture, "pcap or pcapng, gzip too; - is standard input")
      ->required()
      ->type_name(" ");
  command
      ->add_option("EXPECTATIONS", arguments->expectations,
                   "a file with \"packets\" and \"expect\", or a whole scenario")
      ->required()
      ->type_name(" ");
  command->add_flag("-q", arguments->quiet, "only what does not hold");
  command->footer(
      "Examples:\n"
      "  netrig verify trace.pcapng expectations.json\n"
      "  tcpdump -c 100 -w - tcp port 80 | netrig verify - expectations.json\n"
      "\n"
      "Exit status: 0 all holds, 1 something does not, 3 a file cannot be read, 4 nothing is "
      "expected.");
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return verify(*arguments, line.console); };
  });
}

}  // namespace netrig
