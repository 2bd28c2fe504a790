#pragma once
// Standard output and standard error of the program. The first error of writing is kept, so that a
// full disk behind `netrig run > log` is never a success.

#include <string>
#include <string_view>

namespace netrig {

class Console {
 public:
  // Both are written at once, unbuffered: a fork in between has nothing to print twice.
  void out(std::string_view text);
  void error(std::string_view text);

  // Whether something could not be written to standard output; `why` is empty if the reader went
  // away on purpose (`netrig list | head`), which is worth no message.
  bool failed() const { return errno_ != 0; }
  std::string why() const;

  static bool out_is_terminal();
  static bool error_is_terminal();

 private:
  int errno_ = 0;
};

}  // namespace netrig
