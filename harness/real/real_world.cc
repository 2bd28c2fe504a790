#include "harness/real/real_world.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/errno.h"
#include "harness/base/require.h"
#include "harness/process/program_path.h"
#include "harness/real/host_names.h"
#include "harness/real/real_program.h"
#include "harness/real/real_sockets.h"
#include "harness/real/tcp_outlook.h"

namespace netrig {
namespace {

std::string told(const std::string& what, int error) {
  return fmt::format("{}: {} ({})", what, Errno(error).text(), Errno(error).name());
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::expected<std::string, std::string> make_folder() {
  std::string folder = "/tmp/netrig-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    return std::unexpected(told("cannot make a folder in /tmp", errno));
  }
  return folder;
}

void remove_tree(const std::string& folder) {
  ::nftw(
      folder.c_str(),
      [](const char* path, const struct stat*, int, FTW*) { return ::remove(path), 0; }, 16,
      FTW_DEPTH | FTW_PHYS);
}

std::expected<void, std::string> check(const RealWorldOptions& options) {
  if (options.hosts.empty()) return std::unexpected("a world needs a host");
  if (options.hosts.size() > kHostsMax) {
    return std::unexpected(
        fmt::format("{} hosts, at most {} are possible", options.hosts.size(), kHostsMax));
  }
  if (options.capture && !options.output_directory) {
    return std::unexpected("a capture needs an output folder");
  }
  if (!options.tmp.empty() && options.tmp[0] != '/') {
    return std::unexpected("the temporary folder must be an absolute path");
  }
  return {};
}

// Of the network namespace that the thread is in.
std::string default_congestion() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string name;
  file >> name;
  return name;
}

}  // namespace

// In order of construction: each uses those before it.
struct RealWorld::Parts {
  RealLoop loop;
  HostTable hosts;
  std::string tmp;
  bool made_tmp = false;
  AccessPolicy policy;
  SocketRegister sockets;
  CaptureTap tap;
  std::vector<std::string> unsupported;
  DatagramPath datagrams;
  std::unique_ptr<PacketCarrier> carrier;  // null: the kernel's lo
  std::vector<std::string> name_servers;
  SocketContext context;
  std::vector<std::unique_ptr<RealSockets>> apis;
  std::vector<std::weak_ptr<Program>> programs;

  Parts(RealWorldOptions& options, HostTable table, std::string folder)
      : hosts(std::move(table)),
        tmp(std::move(folder)),
        policy(hosts, options.allow_remote, tmp),
        datagrams(loop, hosts, sockets, tap,
                  {std::move(options.links), options.seed, tmp, options.observer,
                   options.carrier != nullptr}),
        name_servers(std::move(options.name_servers)),
        context{loop, hosts, policy, sockets, datagrams, tap, unsupported} {
    if (options.carrier) {
      carrier = options.carrier({loop, hosts, sockets, tap, tmp, options.observer});
      context.carrier = carrier.get();
    }
    context.congestion = options.congestion;
    loop.set_spin(options.spin);
    for (size_t host = 0; host < hosts.size(); ++host) {
      apis.push_back(std::make_unique<RealSockets>(context, host));
    }
    loop.might_happen_if([this] { return may_move(); });
  }
  ~Parts() {
    loop.destroy_fibers();
    for (auto& api : apis) api->close_all();
    if (made_tmp) remove_tree(tmp);
  }

  // Of the one lo that all hosts share, or of those hosts' own.
  std::expected<void, std::string> capture_lo(const std::vector<std::string>& busy_hosts) {
    if (!carrier) return tap.open_lo();
    std::expected<void, std::string> opened;
    for (const std::string& name : busy_hosts) {
      carrier->enter(hosts.by_name(name));
      if (opened) opened = tap.open_lo();
    }
    carrier->enter(std::nullopt);
    return opened;
  }
  bool under_way() const { return datagrams.under_way() || (carrier && carrier->under_way()); }
  bool may_move() const {
    if (under_way() || (carrier && carrier->may_repeat())) return true;
    const bool runs = std::ranges::any_of(programs, [](const auto& program) {
      const auto alive = program.lock();
      return alive && !alive->gone();
    });
    return runs || std::ranges::any_of(sockets.all(), [](const auto& state) {
             return state->transport == Transport::kTcp && state->fd &&
                    tcp_may_move(state->fd.get());
           });
  }
};

std::expected<std::unique_ptr<RealWorld>, std::string> RealWorld::make(RealWorldOptions options) {
  if (auto fine = check(options); !fine) return std::unexpected(fine.error());
  raise_descriptor_limit();
  const bool host_network = options.host_network;
  std::string folder = options.tmp;
  if (folder.empty()) {
    auto made = make_folder();
    if (!made) return std::unexpected(made.error());
    folder = *made;
  }
  HostTable hosts(options.hosts, host_network);
  auto parts = std::make_unique<Parts>(options, std::move(hosts), std::move(folder));
  parts->made_tmp = options.tmp.empty();
  if (options.capture) {
    auto opened = parts->tap.open(parts->loop, {.directory = options.output_directory.get(),
                                                .whole_device = !host_network,
                                                .may_lack = host_network});
    if (!opened) return std::unexpected(opened.error());
    if (auto captured = parts->capture_lo(options.busy_hosts); !captured) {
      return std::unexpected(captured.error());
    }
  }
  return std::unique_ptr<RealWorld>(new RealWorld(std::move(parts)));
}

RealWorld::RealWorld(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RealWorld::~RealWorld() = default;

RealLoop& RealWorld::loop() {
  return parts_->loop;
}

SocketApi& RealWorld::host(std::string_view name) {
  const auto host = parts_->hosts.by_name(name);
  NETRIG_REQUIRE(host.has_value());
  return *parts_->apis[*host];
}

IpAddress RealWorld::address(std::string_view host, bool v6) const {
  const auto found = parts_->hosts.by_name(host);
  NETRIG_REQUIRE(found.has_value());
  return parts_->hosts.address(*found, v6);
}

std::expected<std::shared_ptr<Program>, std::string> RealWorld::start_program(
    const ProgramOptions& options) {
  Parts& parts = *parts_;
  if (parts.hosts.host_network()) {
    return std::unexpected("programs are started in a sandbox only, not with --host-network");
  }
  std::error_code error;
  if (std::filesystem::read_symlink("/proc/self", error) != std::to_string(::getpid())) {
    return std::unexpected(
        "programs cannot be watched: the kernel refused a /proc for the sandbox");
  }
  if (parts.programs.empty()) {
    // Servers change to a user of their own; nobody else is here to look into it.
    ::chmod(parts.tmp.c_str(), 01777);
    if (auto named = name_hosts(parts.hosts, parts.name_servers, parts.tmp); !named) {
      return std::unexpected(named.error());
    }
  }
  const char* path = std::getenv("PATH");
  ProgramCommand command{
      .arguments = options.arguments, .environment = options.environment, .folder = options.folder};
  // The same on every machine, whoever calls.
  const std::pair<const char*, std::string> defaults[] = {
      {"PATH", path_with_servers(path == nullptr ? "" : path)},
      {"HOME", parts.tmp},
      {"TMPDIR", parts.tmp},
      {"LANG", "C.UTF-8"},
      {"TZ", "UTC"},
  };
  for (const auto& [name, value] : defaults) command.environment.try_emplace(name, value);
  const auto host = parts.hosts.by_name(options.host);
  if (host) parts.datagrams.runs_program(*host);
  if (parts.carrier && host) {
    parts.carrier->enter(host);
    parts.carrier->runs_program(*host);
  }
  if (!parts.context.congestion.empty() && default_congestion() != parts.context.congestion) {
    parts.unsupported.push_back(fmt::format(
        "programs cannot have the congestion control '{}' on this kernel: it is not among "
        "net.ipv4.tcp_allowed_congestion_control",
        parts.context.congestion));
  }
  auto program = RealProgram::start(parts.loop, options, command);
  if (parts.carrier) parts.carrier->enter(std::nullopt);
  if (program) parts.programs.push_back(*program);
  return program;
}

const std::string& RealWorld::tmp() const {
  return parts_->tmp;
}

bool RealWorld::packets_under_way() const {
  return parts_->under_way();
}

WorldReport RealWorld::finish() {
  Parts& parts = *parts_;
  WorldReport report;
  parts.loop.destroy_fibers();
  for (const auto& state : parts.sockets.all()) parts.datagrams.drain_unread(*state);
  for (auto& api : parts.apis) api->close_all();
  parts.datagrams.report(report);
  if (parts.carrier) parts.carrier->finish(report);
  parts.tap.finish(report);
  report.unsupported = parts.unsupported;
  if (!parts.context.congestion.empty()) {
    report.notes.push_back("TCP's congestion control: " + parts.context.congestion);
  }
  return report;
}

}  // namespace netrig
