#include "harness/report/output_file.h"

#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "harness/base/errno.h"

namespace netrig {

namespace {

constexpr size_t kBufferMax = 64 * 1024;

std::string cannot_write(const std::string& path, int error) {
  return fmt::format("cannot write {}: {}", path, Errno(error).text());
}

// Where the links of an existing path lead: renaming over a link would replace the link.
std::string resolve_links(const std::string& path) {
  std::error_code error;
  std::filesystem::path resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

std::string temporary_beside(const std::string& target) {
  std::filesystem::path path(target);
  std::string name = fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
  return (path.parent_path() / name).string();
}

}  // namespace

std::expected<OutputFile, std::string> OutputFile::create(const std::string& path) {
  OutputFile file(path);
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return std::unexpected(cannot_write(path, EISDIR));
  if (exists && !S_ISREG(status.st_mode)) {
    file.special_ = Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.special_) file.file_ = Fd(::memfd_create("netrig-output", MFD_CLOEXEC));
    if (!file.special_ || !file.file_) return std::unexpected(cannot_write(path, errno));
    return file;
  }
  file.target_ = exists ? resolve_links(path) : path;
  std::filesystem::path folder = std::filesystem::path(file.target_).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(cannot_write(path, error.value()));
  // The rename would ignore that the file itself may not be written.
  if (exists && ::access(file.target_.c_str(), W_OK) != 0) {
    return std::unexpected(cannot_write(path, errno));
  }
  const std::string temporary = temporary_beside(file.target_);
  ::unlink(temporary.c_str());
  file.file_ = Fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.file_) return std::unexpected(cannot_write(path, errno));
  file.temporary_ = temporary;
  if (exists) ::fchmod(file.file_.get(), status.st_mode & 0777);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, "")),
      file_(std::move(other.file_)),
      special_(std::move(other.special_)),
      buffer_(std::move(other.buffer_)),
      error_(std::move(other.error_)) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::append(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferMax) flush();
}

void OutputFile::overwrite(size_t offset, std::string_view text) {
  flush();
  while (!text.empty() && error_.empty()) {
    ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(errno);
    offset += static_cast<size_t>(written);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string OutputFile::commit() {
  flush();
  if (error_.empty() && special_) copy_to_special();
  // close(2): a network file system may tell only now that the space ran out.
  if (error_.empty() && ::close(file_.release()) != 0) fail(errno);
  special_.reset();  // whoever reads from a pipe is told the end
  if (error_.empty() && !temporary_.empty()) {
    if (::rename(temporary_.c_str(), target_.c_str()) == 0) {
      temporary_.clear();
    } else {
      fail(errno);
    }
  }
  return error_;
}

void OutputFile::flush() {
  if (error_.empty()) {
    if (int error = write_all(file_.get(), buffer_); error != 0) fail(error);
  }
  buffer_.clear();
}

void OutputFile::fail(int error) {
  error_ = cannot_write(path_, error);
}

// The errno value; 0 if all was written.
int OutputFile::write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void OutputFile::copy_to_special() {
  if (::lseek(file_.get(), 0, SEEK_SET) < 0) return fail(errno);
  std::string chunk(kBufferMax, '\0');
  for (;;) {
    ssize_t count = ::read(file_.get(), chunk.data(), chunk.size());
    if (count < 0) return fail(errno);
    if (count == 0) return;
    std::string_view part(chunk.data(), static_cast<size_t>(count));
    if (int error = write_all(special_.get(), part); error != 0) return fail(error);
  }
}

}  // namespace netrig
