#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>

#include "fakes/host/unix_socket.h"
#include "harness/net/unix_path.h"

namespace netrig {
namespace {

constexpr size_t kPathMax = 108;  // sun_path
constexpr uint32_t kAutoNamesMax = 0xfffff;
// Where programs put sockets; every simulated run has these folders, empty.
constexpr std::array<std::string_view, 4> kFolders = {"/tmp", "/run", "/var/tmp", "/dev/shm"};

// unix(7): abstract names of sockets of different types do not collide.
std::string key_of(const Endpoint& name, int type) {
  if (name.is_abstract()) return fmt::format("@{}{}", type, name.path());
  return normalised_path(name.path());
}

}  // namespace

Result<void> UnixNames::check(const Endpoint& name) const {
  const std::string& path = name.path();
  if (name.kind() != Endpoint::Kind::kUnix || path.empty()) return fail_with(EINVAL);
  if (path.size() > kPathMax) return fail_with(EINVAL);
  if (name.is_abstract()) return {};
  if (path[0] != '/' || path.find('\0') != std::string::npos) return fail_with(EINVAL);
  const std::string normal = normalised_path(path);
  const auto below = [&](std::string_view folder) {
    return normal.size() > folder.size() && normal.starts_with(folder) &&
           normal[folder.size()] == '/';
  };
  const auto is_folder = [&](std::string_view candidate) {
    return candidate == tmp_ || std::ranges::find(kFolders, candidate) != kFolders.end();
  };
  if (!below(tmp_) && std::ranges::none_of(kFolders, below)) return fail_with(EACCES);
  const std::string folder = normal.substr(0, normal.rfind('/'));
  if (is_folder(folder)) return {};
  // path_resolution(7): a socket is no folder, and no folder was ever made here.
  for (size_t slash = normal.find('/', 1); slash != std::string::npos;
       slash = normal.find('/', slash + 1)) {
    if (bound_.contains(normal.substr(0, slash))) return fail_with(ENOTDIR);
  }
  return fail_with(ENOENT);
}

Result<Endpoint> UnixNames::bind(const Endpoint& name, const SocketRef& socket) {
  if (name.kind() == Endpoint::Kind::kUnix && name.path().empty()) return autobind(socket);
  if (auto fine = may_bind(name, socket->type()); !fine) return fail_with(fine.error());
  bound_.emplace(key_of(name, socket->type()), socket);
  return name;
}

Result<void> UnixNames::may_bind(const Endpoint& name, int type) const {
  if (auto fine = check(name); !fine) return fine;
  return bound_.contains(key_of(name, type)) ? fail_with(EADDRINUSE) : Result<void>();
}

// unix(7), autobind: five hexadecimal digits.
Result<Endpoint> UnixNames::autobind(const SocketRef& socket) {
  for (uint32_t tries = 0; tries <= kAutoNamesMax; ++tries) {
    Endpoint name = Endpoint::unix_abstract(fmt::format("{:05x}", next_auto_));
    next_auto_ = (next_auto_ + 1) & kAutoNamesMax;
    if (bound_.try_emplace(key_of(name, socket->type()), socket).second) return name;
  }
  return fail_with(ENOSPC);
}

Result<SocketRef> UnixNames::find(const Endpoint& name, int type) const {
  if (auto fine = check(name); !fine) return fail_with(fine.error());
  const auto found = bound_.find(key_of(name, type));
  if (found == bound_.end()) return fail_with(name.is_abstract() ? ECONNREFUSED : ENOENT);
  SocketRef socket = found->second.lock();
  if (socket == nullptr || socket->handles == 0) return fail_with(ECONNREFUSED);  // a stale path
  if (socket->type() != type) return fail_with(EPROTOTYPE);
  return socket;
}

void UnixNames::closed(const Endpoint& name, const FakeSocket& socket) {
  if (!name.is_abstract()) return;
  const auto found = bound_.find(key_of(name, socket.type()));
  if (found != bound_.end() && found->second.lock().get() == &socket) bound_.erase(found);
}

std::string UnixNames::shown(const Endpoint& name) const {
  if (name.is_abstract()) return "@" + name.path().substr(1);
  std::string path = name.path().empty() ? "" : normalised_path(name.path());
  if (path.starts_with(tmp_ + "/")) return "${tmp}" + path.substr(tmp_.size());
  return path;
}

void UnixNames::add(const std::shared_ptr<UnixSocket>& socket) {
  if (sockets_.size() >= 2 * live_ + 64) {
    std::erase_if(sockets_, [](const auto& kept) { return kept.expired(); });
    live_ = sockets_.size();
  }
  sockets_.push_back(socket);
}

UnixNames::~UnixNames() {
  purge();
}

void UnixNames::purge() {
  for (const auto& kept : sockets_) {
    if (const auto socket = kept.lock()) socket->purge();
  }
}

}  // namespace netrig
