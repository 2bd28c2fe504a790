#include "harness/process/program_start.h"

#include <cerrno>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/process/listening_sockets.h"
#include "harness/process/process_tree.h"

namespace netrig {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

// A shell's script as a program; ended and waited for with the test.
class ProgramStart : public ::testing::Test {
 protected:
  ~ProgramStart() override {
    if (program.keeper <= 0) return;
    kill_descendants(program.keeper);
    ::kill(program.keeper, SIGKILL);
    ::waitpid(program.keeper, nullptr, 0);
  }

  void start(const std::string& script, std::map<std::string, std::string> environment = {}) {
    environment.try_emplace("PATH", "/usr/bin:/bin");
    auto started = start_program({{"sh", "-c", script}, std::move(environment), "/"});
    ASSERT_TRUE(started) << started.error().call << " " << started.error().error.name();
    program = std::move(*started);
  }
  // All that comes from a pipe until it ends; at most ten seconds.
  static std::string read_to_end(const Fd& fd) {
    std::string text;
    char buffer[256];
    while (true) {
      pollfd entry{fd.get(), POLLIN, 0};
      if (::poll(&entry, 1, 10'000) != 1) return text + " (and no end)";
      const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
      if (got <= 0) return text;
      text.append(buffer, static_cast<size_t>(got));
    }
  }
  // Until its first process has ended.
  std::optional<ProgramEnd> end() {
    for (int tries = 0; tries < 1000; ++tries) {
      pollfd entry{program.report.get(), POLLIN, 0};
      ::poll(&entry, 1, 10);
      if (auto ended = take_program_end(program.report, gone)) return ended;
    }
    return std::nullopt;
  }
  bool becomes_gone() {
    for (int tries = 0; tries < 1000 && !gone; ++tries) {
      pollfd entry{program.report.get(), POLLIN, 0};
      ::poll(&entry, 1, 10);
      take_program_end(program.report, gone);
    }
    return gone;
  }

  StartedProgram program;
  bool gone = false;
};

TEST_F(ProgramStart, HasItsOwnEnvironmentFolderAndStreams) {
  start("pwd; echo $WORD; env | wc -l; echo problem >&2", {{"WORD", "hello"}});
  EXPECT_EQ(read_to_end(program.output).substr(0, 8), "/\nhello\n");
  EXPECT_EQ(read_to_end(program.errors), "problem\n");
}

TEST_F(ProgramStart, HasNoDescriptorButTheStandardOnes) {
  const Fd secret(::dup(STDERR_FILENO));  // not close-on-exec
  start("ls /proc/$$/fd");
  EXPECT_EQ(read_to_end(program.output), "0\n1\n2\n");
}

TEST_F(ProgramStart, TellsExitStatusAndSignal) {
  start("exit 7");
  const auto status = end();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->to_string(), "ended with exit status 7");
  EXPECT_TRUE(becomes_gone());
}

TEST_F(ProgramStart, TellsTheSignalThatKilled) {
  start("kill -SEGV $$");
  const auto killed = end();
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->to_string(), "was killed by SIGSEGV");
}

TEST_F(ProgramStart, ADaemonStaysTheProgramsOwn) {
  start("setsid sleep 1000 </dev/null >/dev/null 2>&1 & exit 0");
  ASSERT_TRUE(end());
  EXPECT_FALSE(gone);
  const auto is_sleep = ElementsAre(Field(&ProcessEntry::name, "sleep"));
  std::vector<ProcessEntry> left;
  for (int tries = 0; tries < 1000 && !::testing::Value(left, is_sleep); ++tries) {
    ::usleep(10'000);  // until it has become what it will be
    left = descendants(program.keeper);
  }
  EXPECT_THAT(left, is_sleep);
  EXPECT_TRUE(kill_descendants(program.keeper));
  EXPECT_TRUE(becomes_gone());
}

TEST_F(ProgramStart, ManyThatForkAreKilledAll) {
  start("for i in 1 2 3 4 5 6 7 8; do (while true; do sleep 0.01; done) & done; wait");
  EXPECT_TRUE(kill_descendants(program.keeper));
  EXPECT_TRUE(becomes_gone());
  EXPECT_THAT(descendants(program.keeper), IsEmpty());
}

TEST_F(ProgramStart, ListeningSocketsAreThoseOfItsOwnProcesses) {
  const Fd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(other.get(), 1), 0);  // an impostor
  auto started =
      start_program({{"/usr/bin/python3", "-c",
                      "import socket,sys,time\ns=socket.create_server(('127.0.0.1',0))\n"
                      "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);u.bind(('',0))\n"
                      "print(s.getsockname()[1],u.getsockname()[1],flush=True)\ntime.sleep(1000)"},
                     {},
                     "/"});
  ASSERT_TRUE(started);
  program = std::move(*started);
  pollfd entry{program.output.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
  char text[64] = {};
  ASSERT_GT(::read(program.output.get(), text, sizeof text - 1), 0);
  unsigned tcp = 0;
  unsigned udp = 0;
  ASSERT_EQ(std::sscanf(text, "%u %u", &tcp, &udp), 2);
  const auto sockets = listening_sockets({program.pid});
  const Endpoint tcp_at(IpAddress::v4(127, 0, 0, 1), static_cast<uint16_t>(tcp));
  const Endpoint udp_at(IpAddress(), static_cast<uint16_t>(udp));
  EXPECT_EQ(sockets.size(), 2U);
  EXPECT_THAT(sockets, Contains(ListeningSocket{Transport::kTcp, tcp_at}));
  EXPECT_THAT(sockets, Contains(ListeningSocket{Transport::kUdp, udp_at}));
}

TEST(ProgramStartErrors, AreTheCallsOwn) {
  const auto missing = start_program({{"no-such-program"}, {{"PATH", "/usr/bin"}}, "/"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error, Errno(ENOENT));
  const auto folder = start_program({{"/bin/sh"}, {}, "/no-such-folder"});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().call, "chdir");
}

TEST(Reaches, AnyAddressTakesEveryPeerOfItsFamily) {
  const Endpoint peer(IpAddress::v4(10, 0, 0, 1), 80);
  const auto at = [](const char* text) {
    return ListeningSocket{Transport::kTcp, *Endpoint::parse(text)};
  };
  EXPECT_TRUE(reaches(peer, Transport::kTcp, at("10.0.0.1:80")));
  EXPECT_TRUE(reaches(peer, Transport::kTcp, at("0.0.0.0:80")));
  EXPECT_TRUE(reaches(peer, Transport::kTcp, at("[::]:80")));
  EXPECT_FALSE(reaches(peer, Transport::kTcp, at("10.0.0.2:80")));
  EXPECT_FALSE(reaches(peer, Transport::kTcp, at("10.0.0.1:81")));
  EXPECT_FALSE(reaches(peer, Transport::kUdp, at("10.0.0.1:80")));
  EXPECT_FALSE(reaches(*Endpoint::parse("[fd00::1]:80"), Transport::kTcp, at("0.0.0.0:80")));
}

}  // namespace
}  // namespace netrig
