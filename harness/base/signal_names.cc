#include "harness/base/signal_names.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace netrig {
namespace {

constexpr std::pair<const char*, int> kSignals[] = {
    {"SIGTERM", SIGTERM}, {"SIGINT", SIGINT},    {"SIGQUIT", SIGQUIT}, {"SIGHUP", SIGHUP},
    {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1},  {"SIGUSR2", SIGUSR2}, {"SIGABRT", SIGABRT},
    {"SIGSEGV", SIGSEGV}, {"SIGBUS", SIGBUS},    {"SIGFPE", SIGFPE},   {"SIGILL", SIGILL},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM},  {"SIGTRAP", SIGTRAP}, {"SIGSYS", SIGSYS},
    {"SIGXCPU", SIGXCPU}, {"SIGWINCH", SIGWINCH}};

}  // namespace

const std::vector<std::string>& signal_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, number] : kSignals) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::optional<int> signal_from_name(std::string_view name) {
  for (const auto& [known, number] : kSignals) {
    if (name == known) return number;
  }
  return std::nullopt;
}

}  // namespace netrig
