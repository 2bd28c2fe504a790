#include "harness/real/access_policy.h"

#include <gtest/gtest.h>

#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

std::string answer(const Result<void>& result) {
  return result ? "ok" : result.error().name();
}
Endpoint ip(const char* address) {
  return Endpoint(*IpAddress::parse(address), 80);
}

TEST(AccessPolicy, PathsAreJudgedAfterDotsAreResolved) {
  EXPECT_EQ(normalised_path("/tmp/./a//b/../c/"), "/tmp/a/c");
  EXPECT_EQ(normalised_path("/../.."), "/");
  const HostTable hosts({"a"}, false);
  const AccessPolicy policy(hosts, false, "/tmp/run1");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_path("/run/x"))), "ok");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_path("/tmp/../run/x"))), "ok");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_path("/tmp/../var/run/x"))), "EACCES");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_path("/tmpx/y"))), "EACCES");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_path("x"))), "EINVAL");
  EXPECT_EQ(answer(policy.may_reach(Endpoint::unix_abstract("x"))), "ok");
}

TEST(AccessPolicy, OnTheMachinesNetworkNothingButLoopback) {
  const HostTable hosts({"a"}, true);
  const AccessPolicy closed(hosts, false, "/tmp/run1");
  EXPECT_EQ(answer(closed.may_reach(ip("127.9.9.9"))), "ok");
  EXPECT_EQ(answer(closed.may_reach(ip("::1"))), "ok");
  EXPECT_EQ(answer(closed.may_reach(ip("::ffff:127.0.0.1"))), "ok");
  EXPECT_EQ(answer(closed.may_reach(ip("::ffff:192.0.2.1"))), "EPERM");
  EXPECT_EQ(answer(closed.may_reach(ip("0.0.0.0"))), "EPERM");
  EXPECT_EQ(answer(closed.may_bind(0, ip("::"))), "EPERM");
  EXPECT_EQ(answer(closed.may_reach(Endpoint::unix_path("/run/app"))), "ok");
  EXPECT_EQ(answer(closed.may_bind(0, Endpoint::unix_path("/run/app"))), "EACCES");
  const AccessPolicy open(hosts, true, "/tmp/run1");
  EXPECT_EQ(answer(open.may_reach(ip("192.0.2.1"))), "ok");
}

TEST(AccessPolicy, HostCannotTakeAnothersAddress) {
  const HostTable hosts({"a", "b"}, false);
  const AccessPolicy policy(hosts, false, "/tmp/x");
  EXPECT_EQ(answer(policy.may_bind(0, ip("10.0.0.1"))), "ok");
  EXPECT_EQ(answer(policy.may_bind(0, ip("10.0.0.2"))), "EADDRNOTAVAIL");
  EXPECT_EQ(answer(policy.may_bind(0, ip("::ffff:10.0.0.2"))), "EADDRNOTAVAIL");
  EXPECT_EQ(answer(policy.may_bind(1, ip("10.0.0.2"))), "ok");
  EXPECT_EQ(answer(policy.may_bind(0, ip("0.0.0.0"))), "ok");
}

TEST(SocketAddress, EveryKindComesBackAsItWas) {
  for (const Endpoint& endpoint :
       {ip("10.0.0.1"), ip("fd00::1"), Endpoint::unix_path("/tmp/x"),
        Endpoint::unix_path("/" + std::string(106, 'x')),
        Endpoint::unix_path("/" + std::string(107, 'x')),  // fills sun_path, no NUL
        Endpoint::unix_abstract(std::string("a\0b", 3)), Endpoint::unix_unnamed()}) {
    const auto address = to_socket_address(endpoint);
    ASSERT_TRUE(address.has_value()) << endpoint.to_string();
    EXPECT_EQ(from_socket_address(*address), endpoint) << endpoint.to_string();
  }
}

TEST(SocketAddress, TooLongOrBrokenPathsAreInvalid) {
  EXPECT_EQ(to_socket_address(Endpoint::unix_path("/" + std::string(108, 'x'))).error(),
            Errno(EINVAL));
  EXPECT_EQ(to_socket_address(Endpoint::unix_abstract(std::string(108, 'x'))).error(),
            Errno(EINVAL));
  EXPECT_EQ(to_socket_address(Endpoint::unix_path(std::string("/a\0b", 4))).error(), Errno(EINVAL));
}

}  // namespace
}  // namespace netrig
