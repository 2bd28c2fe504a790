#pragma once
// A file that is there in full or not at all: written to a temporary name beside the target,
// renamed when it is complete, removed if it never is. The first error is kept and told by
// commit().

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "harness/base/fd.h"

namespace netrig {

class OutputFile {
 public:
  // Makes missing folders. A target that exists and is no regular file (/dev/null, a pipe) is
  // written in place at commit(). The error is a sentence: "cannot write out/x.xml: Permission
  // denied".
  static std::expected<OutputFile, std::string> create(const std::string& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  void append(std::string_view text);
  // Replaces what stands at `offset`; it lies in what was appended before.
  void overwrite(size_t offset, std::string_view text);
  // The error as above; empty if the file is complete and in its place.
  std::string commit();

 private:
  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  void flush();
  void fail(int error);
  int write_all(int fd, std::string_view text);
  void copy_to_special();

  std::string path_;       // as the user gave it
  std::string target_;     // with symbolic links resolved
  std::string temporary_;  // empty once renamed, and for special files
  Fd file_;
  Fd special_;
  std::string buffer_;
  std::string error_;
};

}  // namespace netrig
