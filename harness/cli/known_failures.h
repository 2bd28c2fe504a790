#pragma once
// The file of --known-failures: what is known to fail, one run or group of runs a line, so that a
// suite can be green while its scenarios stay as they are.
//
//   # comments and empty lines are read over
//   scenarios/pop3/login.json: answers before the line has ended, bug 17
//   login [real]: ...                      by id, on one backend
//   greeting [fake] [transport=unix]: ...  in rows of the matrix with these values
//
// Text and matching only: what a failure that is known counts as is the run's business.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/model.h"

namespace netrig {

inline constexpr size_t kKnownFailuresBytesMax = size_t{4} << 20;

class KnownFailures {
 public:
  // The error is a sentence, or one a line, each with the file's name and line.
  static std::expected<KnownFailures, std::string> read(const std::string& path);
  static std::expected<KnownFailures, std::string> parse(std::string_view text,
                                                         const std::string& path);

  // Why this run is known to fail, with the place that says so; empty if nothing does. Notes which
  // lines were of use.
  std::string reason(const Scenario& scenario, const std::string& path, const std::string& backend);

  // Lines about scenarios that were asked for, but about none of their runs; and about files that
  // are not there.
  std::vector<std::string> stale() const;

 private:
  struct Entry {
    size_t line = 0;
    std::string scenario;  // a path or an id
    std::string backend;   // empty: any
    std::string row;       // "transport=unix"; empty: any
    std::string reason;
    bool seen = false;     // its scenario was asked for
    bool matched = false;  // and it was about that run
  };

  std::string path_;
  std::vector<Entry> entries_;
};

}  // namespace netrig
