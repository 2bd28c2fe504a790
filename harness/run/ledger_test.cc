#include "harness/run/ledger.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

const Endpoint kClient(IpAddress::v4(10, 0, 0, 2), 40000);
const Endpoint kServer(IpAddress::v4(10, 0, 0, 1), 5001);

Ledger with_connection() {
  Ledger ledger;
  ledger.opened(kClient, kServer, "client");
  ledger.opened(kServer, kClient, "server");
  return ledger;
}

TEST(Ledger, FindsWhatOneEndWroteAndTheOtherNeverRead) {
  Ledger ledger = with_connection();
  ledger.wrote(kClient, kServer, 10);
  ledger.read(kServer, kClient, 7);
  const auto unread = ledger.unread();
  ASSERT_EQ(unread.size(), 1U);
  EXPECT_EQ(unread[0].sender, "client");
  EXPECT_EQ(unread[0].receiver, "server");
  EXPECT_EQ(unread[0].octets, 3U);
}

TEST(Ledger, IsBalancedWhenEverythingWasRead) {
  Ledger ledger = with_connection();
  ledger.wrote(kClient, kServer, 10);
  ledger.read(kServer, kClient, 10);
  ledger.wrote(kServer, kClient, 5);
  ledger.read(kClient, kServer, 5);
  EXPECT_TRUE(ledger.unread().empty());
}

TEST(Ledger, SaysNothingOfAConnectionWhoseOtherEndIsNobodys) {
  Ledger ledger;
  ledger.opened(kClient, kServer, "client");
  ledger.wrote(kClient, kServer, 10);
  EXPECT_TRUE(ledger.unread().empty());
}

TEST(Ledger, TheFingerprintDependsOnWhatEachSawAndNotOnHowTheyInterleave) {
  Ledger one, other, different;
  one.saw("client", "a");
  one.saw("server", "x");
  one.saw("client", "b");
  other.saw("server", "x");
  other.saw("client", "a");
  other.saw("client", "b");
  different.saw("client", "b");
  different.saw("client", "a");
  different.saw("server", "x");
  EXPECT_EQ(one.fingerprint(), other.fingerprint());
  EXPECT_NE(one.fingerprint(), different.fingerprint());
}

}  // namespace
}  // namespace netrig
