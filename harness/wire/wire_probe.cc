#include "harness/wire/wire_probe.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/base/text.h"
#include "harness/wire/tun_port.h"
#include "harness/wire/wire_network.h"

namespace netrig {
namespace {

// What the child in the sandbox found: "KEY WORDS" lines of a pipe; a key is there if what it names
// was refused. "done" is always there.
using Findings = std::map<std::string, std::string>;

std::string words_of(Errno error) {
  return fmt::format("{} ({})", error.text(), error.name());
}

// A namespace for a host, and the way back; leaves the thread where it was.
Result<void> try_namespaces() {
  const Fd own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own || ::unshare(CLONE_NEWNET) != 0) return fail_with(errno);
  if (::setns(own.get(), CLONE_NEWNET) != 0) return fail_with(errno);
  return {};
}

Findings try_all() {
  Findings found{{"done", ""}};
  if (auto done = try_namespaces(); !done) {
    found["namespaces"] = words_of(done.error());
    return found;
  }
  if (auto device = TunPort::open("probe0", false); !device) {
    found["tun-errno"] = std::to_string(device.error().value());
    found["tun"] = "/dev/net/tun: " + words_of(device.error());
  } else if (auto made = WireNetwork::make({.kind = PortKind::kTun}); !made) {
    found["tun"] = made.error();
  }
  if (auto made = WireNetwork::make({.kind = PortKind::kPacket}); !made) {
    found["veth"] = made.error();
  }
  return found;
}

std::string to_lines(const Findings& found) {
  std::string lines;
  for (const auto& [key, words] : found) lines += fmt::format("{} {}\n", key, words);
  return lines;
}

Findings from_lines(const std::string& text) {
  Findings found;
  for (const std::string& line : split_lines(text)) {
    const size_t gap = line.find(' ');
    if (gap != std::string::npos) found[line.substr(0, gap)] = line.substr(gap + 1);
  }
  return found;
}

std::string read_to_end(const Fd& pipe) {
  std::string text;
  std::array<char, 1024> part{};
  while (true) {
    const ssize_t size = ::read(pipe.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(part.data(), static_cast<size_t>(size));
  }
}

// The error: why there was no sandbox to try in.
std::expected<Findings, std::string> try_in_sandbox() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected("pipe: " + words_of(Errno(errno)));
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  SandboxOptions sandbox{.host_count = 0};
  // A pipe holds more than these few lines (pipe(7): at least 4096 octets).
  sandbox.network = [&]() -> std::expected<void, std::string> {
    const std::string lines = to_lines(try_all());
    if (::write(write_end.get(), lines.data(), lines.size()) < 0) {
      return std::unexpected("pipe: " + words_of(Errno(errno)));
    }
    return {};
  };
  const auto child = start_in_sandbox(sandbox, [] { return 0; });
  write_end.reset();
  if (!child) return std::unexpected(child.error());
  wait_for_sandbox(*child);
  return from_lines(read_to_end(read_end));
}

std::string way_to_tun(int error) {
  switch (error) {
    case EACCES:
      return "TUN: chmod 0666 /dev/net/tun, or run as root";
    case ENODEV:
    case ENXIO:
      return "TUN: modprobe tun";
    default:
      return "TUN: modprobe tun; in Docker: --device /dev/net/tun";
  }
}

SandboxProblem port(const Findings& found) {
  const std::string what = "port";
  const auto tun = found.find("tun");
  const auto veth = found.find("veth");
  if (tun == found.end()) return {what, true, "TUN with IFF_VNET_HDR", ""};
  if (veth == found.end()) {
    return {what, true, fmt::format("veth and AF_PACKET, as {}", tun->second), ""};
  }
  const auto number = found.find("tun-errno");
  return {what, false,
          fmt::format("neither TUN ({}) nor veth and AF_PACKET ({})", tun->second, veth->second),
          fmt::format("{}\nveth: modprobe veth af_packet; in Docker: --security-opt "
                      "seccomp=unconfined",
                      way_to_tun(number == found.end() ? 0 : std::stoi(number->second)))};
}

}  // namespace

std::vector<SandboxProblem> probe_wire() {
  const auto tried = try_in_sandbox();
  if (!tried || !tried->contains("done")) {
    return {{"sandbox", false, tried ? "the process in it ended at once" : tried.error(),
             "what real needs, wire needs too"}};
  }
  if (const auto refused = tried->find("namespaces"); refused != tried->end()) {
    return {{"host networks", false,
             fmt::format("no network namespace for each host: unshare and setns answer {}",
                         refused->second),
             "in Docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN\n"
             "elsewhere: raise user.max_net_namespaces by sysctl"}};
  }
  return {{"host networks", true, "a network namespace for each host", ""}, port(*tried)};
}

}  // namespace netrig
