// Names of hosts: getaddrinfo(3) knows the hosts of the world, addresses and port numbers.

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <set>

#include "fakes/posix/descriptors.h"
#include "fakes/posix/posix.h"
#include "fakes/posix/real_calls.h"
#include "harness/real/sockaddr.h"

using namespace netrig;

namespace {

struct Answer {
  addrinfo info{};
  SocketAddress address;
};

// Lists that were handed out here: freeaddrinfo() must tell them from the C library's.
std::set<addrinfo*>& handed_out() {
  static std::set<addrinfo*> lists;
  return lists;
}

std::vector<IpAddress> addresses_of(const char* node, bool passive) {
  if (node == nullptr) {
    return passive ? std::vector{*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::")}
                   : std::vector{*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
  }
  if (const auto numeric = IpAddress::parse(node)) return {*numeric};
  if (std::strcmp(node, "localhost") == 0) {
    return {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
  }
  FakeWorld& world = PosixPrograms::active()->world();
  if (!world.has_host(node)) return {};
  return {world.address(node, false), world.address(node, true)};
}

// Port numbers, and the names that scenarios of clients and servers need; no /etc/services.
std::optional<uint16_t> port_of(const char* service) {
  if (service == nullptr) return 0;
  const char* end = service + std::strlen(service);
  uint16_t port = 0;
  const auto parsed = std::from_chars(service, end, port);
  if (parsed.ec == std::errc() && parsed.ptr == end) return port;
  constexpr std::pair<const char*, uint16_t> kNames[] = {
      {"ftp", 21}, {"smtp", 25}, {"domain", 53}, {"http", 80}, {"https", 443}};
  for (const auto& [name, number] : kNames) {
    if (std::strcmp(service, name) == 0) return number;
  }
  return std::nullopt;
}

void append(addrinfo**& end, const IpAddress& address, uint16_t port, int type) {
  auto* answer = new Answer;
  answer->address = *to_socket_address(Endpoint(address, port));
  answer->info.ai_family = address.is_v6() ? AF_INET6 : AF_INET;
  answer->info.ai_socktype = type;
  answer->info.ai_protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
  answer->info.ai_addr = answer->address.get();
  answer->info.ai_addrlen = answer->address.length;
  *end = &answer->info;
  end = &answer->info.ai_next;
}

}  // namespace

extern "C" {

int __wrap_getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                       addrinfo** result) {
  if (posix::current_api() == nullptr) return __real_getaddrinfo(node, service, hints, result);
  const addrinfo none{};
  const addrinfo& wanted = hints == nullptr ? none : *hints;
  if (node == nullptr && service == nullptr) return EAI_NONAME;
  if (wanted.ai_family != AF_UNSPEC && wanted.ai_family != AF_INET &&
      wanted.ai_family != AF_INET6) {
    return EAI_FAMILY;
  }
  const auto port = port_of(service);
  if (!port) return EAI_SERVICE;
  if ((wanted.ai_flags & AI_NUMERICHOST) != 0 && node != nullptr && !IpAddress::parse(node)) {
    return EAI_NONAME;
  }
  addrinfo* first = nullptr;
  addrinfo** end = &first;
  for (const IpAddress& address : addresses_of(node, (wanted.ai_flags & AI_PASSIVE) != 0)) {
    if (wanted.ai_family == (address.is_v6() ? AF_INET : AF_INET6)) continue;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      if (wanted.ai_socktype == 0 || wanted.ai_socktype == type) append(end, address, *port, type);
    }
  }
  if (first == nullptr) return EAI_NONAME;
  handed_out().insert(first);
  *result = first;
  return 0;
}

void __wrap_freeaddrinfo(addrinfo* list) {
  if (handed_out().erase(list) == 0) return __real_freeaddrinfo(list);
  while (list != nullptr) {
    addrinfo* next = list->ai_next;
    delete reinterpret_cast<Answer*>(list);  // its first member
    list = next;
  }
}

int __wrap_gethostname(char* name, size_t length) {
  const PosixPrograms* programs = PosixPrograms::active();
  const std::string* host = programs == nullptr ? nullptr : programs->current_host();
  if (host == nullptr) return __real_gethostname(name, length);
  if (host->size() >= length) return posix::fail(ENAMETOOLONG);
  std::memcpy(name, host->c_str(), host->size() + 1);
  return 0;
}

}  // extern "C"
