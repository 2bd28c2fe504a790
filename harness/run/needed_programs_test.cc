#include "harness/run/needed_programs.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

Scenario needing(std::vector<NeededProgram> needs) {
  Scenario scenario;
  scenario.needs = std::move(needs);
  return scenario;
}

TEST(NeededPrograms, WhatIsInThePathIsNotMissing) {
  EXPECT_FALSE(missing_program(needing({}), ""));
  EXPECT_FALSE(missing_program(needing({{{}, "sh", ""}}), "/usr/bin:/bin"));
}

TEST(NeededPrograms, TheFirstMissingOneIsToldWithItsPackage) {
  const auto reason = missing_program(
      needing({{{}, "sh", ""}, {{}, "no-such-server", "a-package"}}), "/usr/bin:/bin");
  EXPECT_EQ(reason, "no-such-server is not installed (Debian package a-package)");
  EXPECT_EQ(missing_program(needing({{{}, "no-such-server", ""}}), "/usr/bin"),
            "no-such-server is not installed");
}

TEST(NeededPrograms, WellKnownProgramsHaveTheirPackages) {
  EXPECT_EQ(debian_package("php"), "php-cli");
  EXPECT_EQ(debian_package("dig"), "bind9-dnsutils");
  EXPECT_EQ(debian_package("no-such-server"), "");
}

}  // namespace
}  // namespace netrig
