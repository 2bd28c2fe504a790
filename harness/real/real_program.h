#pragma once
// A program under test on the machine's own time: what harness/process starts, its pipes read by
// the loop. Its end is heard of as it comes, its output kept up to a limit and thrown away beyond
// it, so that it never waits for a reader.

#include <expected>
#include <memory>
#include <string>

#include "harness/process/program_start.h"
#include "harness/real/real_loop.h"
#include "harness/sockets/program.h"
#include "harness/sockets/wait_list.h"

namespace netrig {

class RealProgram final : public Program {
 public:
  // Both must outlive it. `command` is what `options` say with everything that a world adds. The
  // error is a sentence.
  static std::expected<std::shared_ptr<Program>, std::string> start(RealLoop& loop,
                                                                    const ProgramOptions& options,
                                                                    const ProgramCommand& command);
  ~RealProgram() override;

  pid_t pid() const override { return started_.pid; }
  const std::optional<End>& end() const override { return end_; }
  bool gone() const override { return gone_; }
  const ProgramOutput& output() const override { return output_; }
  void await_news(Instant deadline) override;
  void send_signal(int signal) override;
  void kill_all() override;
  std::vector<std::string> running() const override;
  bool listens(Transport transport, const Endpoint& at) const override;
  std::vector<std::string> listening() const override;

 private:
  RealProgram(RealLoop& loop, const ProgramOptions& options, StartedProgram started);

  void feed();
  void read_report();
  void read_stream(Fd& from, Bytes& to);
  void close(Fd& fd);
  std::vector<pid_t> processes() const;

  RealLoop& loop_;
  size_t output_max_;
  Bytes input_;
  size_t fed_ = 0;
  StartedProgram started_;
  ProgramOutput output_;
  std::optional<End> end_;
  bool gone_ = false;
  WaitList readers_;
};

}  // namespace netrig
