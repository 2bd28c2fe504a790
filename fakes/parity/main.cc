// netrig_parity_check: random socket programs, each run on the simulated and on the kernel's
// sockets; the transcripts must be equal. A difference is shrunk to the smallest program that still
// shows it. Exit status: 0 no difference, 1 a difference, 5 no sandbox on this machine.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <rapidcheck.h>
#include <unistd.h>

#include "fakes/parity/socket_program.h"
#include "fakes/world/fake_world.h"
#include "harness/real/real_world.h"
#include "harness/real/sandbox.h"

namespace netrig {
namespace {

// Ports are used once in a sandbox: three each, below the ephemeral ones.
constexpr uint64_t kProgramsPerSandbox = 4000;
constexpr uint16_t kFirstPort = 2000;
constexpr uint64_t kPortSteps = 10'000;
// A difference that does not come back is a race of the kernel's, not a difference of the fakes: on
// a busy machine ksoftirqd delivers packets of lo later than the call that sent them returns. Tries
// are farther and farther apart (1 ms, 4 ms, ...).
constexpr int kTries = 6;

const std::vector<std::string>& hosts() {
  static const std::vector<std::string> names = {"a", "b"};
  return names;
}

std::vector<std::string> on_fake(const SocketProgram& program) {
  auto world = FakeWorld::make({.hosts = hosts()});
  if (!world) return {world.error()};
  return run_program(**world, program, {});
}

class Kernel {
 public:
  std::vector<std::string> run(const SocketProgram& program) {
    RealWorldOptions options;
    options.hosts = hosts();
    options.tmp = "/tmp";
    options.capture = false;
    auto world = RealWorld::make(std::move(options));
    if (!world) return {world.error()};
    const uint64_t number = next_++;
    return run_program(
        **world, program,
        {static_cast<uint16_t>(kFirstPort + number % kPortSteps * 3), fmt::format("r{}", number)});
  }

 private:
  uint64_t next_ = 0;
};

std::string compared(const std::vector<std::string>& fake, const std::vector<std::string>& real) {
  std::string text;
  for (size_t i = 0; i < std::max(fake.size(), real.size()); ++i) {
    const std::string here = i < fake.size() ? fake[i] : "nothing";
    const std::string there = i < real.size() ? real[i] : "nothing";
    if (here == there) {
      text += fmt::format("    {}\n", here);
    } else {
      text += fmt::format("  - real: {}\n  + fake: {}\n", there, here);
    }
  }
  return text;
}

rc::Gen<SocketProgram> programs(SocketFamilies families) {
  // Sizes make programs longer; what a step does must not depend on them.
  const auto small = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<uint8_t>(0, 48));
  const auto step = rc::gen::build<SocketStep>(
      rc::gen::set(
          &SocketStep::call,
          rc::gen::map(rc::gen::resize(rc::kNominalSize, rc::gen::inRange<int>(0, kSocketCalls)),
                       [](int call) { return static_cast<SocketCall>(call); })),
      rc::gen::set(&SocketStep::socket, small), rc::gen::set(&SocketStep::choice, small),
      rc::gen::set(&SocketStep::detail, small));
  return rc::gen::build<SocketProgram>(
      rc::gen::set(&SocketProgram::families, rc::gen::just(families)),
      rc::gen::set(&SocketProgram::one_host),
      rc::gen::set(&SocketProgram::steps, rc::gen::container<std::vector<SocketStep>>(step)));
}

bool check_programs(SocketFamilies families) {
  Kernel kernel;
  return rc::check("a socket program answers alike on fake and on real", [&] {
    const SocketProgram program = *programs(families);
    const auto fake = on_fake(program);
    auto real = kernel.run(program);
    useconds_t pause = 1000;
    for (int tries = 1; tries < kTries && real != fake; ++tries, pause *= 4) {
      ::usleep(pause);
      real = kernel.run(program);
    }
    if (real != fake) {
      RC_FAIL(compared(fake, real));
    }
  });
}

int run(uint64_t programs_wanted, uint64_t seed, uint64_t size, SocketFamilies families) {
  uint64_t done = 0;
  for (uint64_t chunk = 0; done < programs_wanted; ++chunk) {
    const uint64_t count = std::min(kProgramsPerSandbox, programs_wanted - done);
    const std::string parameters =
        fmt::format("max_success={} seed={} max_size={}", count, seed + chunk, size);
    const auto child = start_in_sandbox({.host_count = 2}, [&] {
      ::setenv("RC_PARAMS", parameters.c_str(), 1);
      return check_programs(families) ? 0 : 1;
    });
    if (!child) {
      std::fprintf(stderr, "netrig_parity_check: no sandbox: %s\n", child.error().c_str());
      return 5;
    }
    const int status = wait_for_sandbox(*child);
    if (status != 0) {
      fmt::print("a difference, or a crash (status {}), with --seed {}\n", status, seed + chunk);
      return 1;
    }
    done += count;
  }
  fmt::print("{} socket programs: no difference\n", done);
  return 0;
}

}  // namespace
}  // namespace netrig

int main(int argc, char** argv) {
  uint64_t programs = 1000;
  uint64_t seed = 1;
  uint64_t size = 60;
  auto families = netrig::SocketFamilies::kAll;
  const std::map<std::string, netrig::SocketFamilies> names = {
      {"all", netrig::SocketFamilies::kAll},
      {"unix", netrig::SocketFamilies::kUnix},
      {"inet", netrig::SocketFamilies::kInet}};
  CLI::App app("Runs random socket programs on simulated and on kernel sockets and compares them");
  app.add_option("--programs", programs, "how many (default 1000)");
  app.add_option("--seed", seed, "of the first (default 1)");
  app.add_option("--size", size, "calls in the longest ones (default 60)");
  app.add_option("--family", families, "all, unix or inet (default all)")
      ->transform(CLI::CheckedTransformer(names));
  CLI11_PARSE(app, argc, argv);
  return netrig::run(programs, seed, size, families);
}
