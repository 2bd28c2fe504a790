#include "harness/base/errno.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace netrig {

namespace {

struct NamedValue {
  std::string_view name;
  int value;
};

// Every E* of Linux's <errno.h>, in the order of their numbers.
// clang-format off
#define NETRIG_ERRNO_TABLE(X) \
    X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) X(ECHILD)  \
    X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK) X(EBUSY) X(EEXIST) X(EXDEV) X(ENODEV)     \
    X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY) X(ETXTBSY) X(EFBIG) X(ENOSPC)   \
    X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK) X(ENAMETOOLONG) X(ENOLCK) \
    X(ENOSYS) X(ENOTEMPTY) X(ELOOP) X(ENOMSG) X(EIDRM) X(ECHRNG) X(EL2NSYNC) X(EL3HLT) X(EL3RST) \
    X(ELNRNG) X(EUNATCH) X(ENOCSI) X(EL2HLT) X(EBADE) X(EBADR) X(EXFULL) X(ENOANO) X(EBADRQC)    \
    X(EBADSLT) X(EBFONT) X(ENOSTR) X(ENODATA) X(ETIME) X(ENOSR) X(ENONET) X(ENOPKG) X(EREMOTE)   \
    X(ENOLINK) X(EADV) X(ESRMNT) X(ECOMM) X(EPROTO) X(EMULTIHOP) X(EDOTDOT) X(EBADMSG)           \
    X(EOVERFLOW) X(ENOTUNIQ) X(EBADFD) X(EREMCHG) X(ELIBACC) X(ELIBBAD) X(ELIBSCN) X(ELIBMAX)    \
    X(ELIBEXEC) X(EILSEQ) X(ERESTART) X(ESTRPIPE) X(EUSERS) X(ENOTSOCK) X(EDESTADDRREQ)          \
    X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT) X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) \
    X(EPFNOSUPPORT) X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH)    \
    X(ENETRESET) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN) X(ESHUTDOWN)    \
    X(ETOOMANYREFS) X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN) X(EHOSTUNREACH) X(EALREADY)        \
    X(EINPROGRESS) X(ESTALE) X(EUCLEAN) X(ENOTNAM) X(ENAVAIL) X(EISNAM) X(EREMOTEIO) X(EDQUOT)   \
    X(ENOMEDIUM) X(EMEDIUMTYPE) X(ECANCELED) X(ENOKEY) X(EKEYEXPIRED) X(EKEYREVOKED)             \
    X(EKEYREJECTED) X(EOWNERDEAD) X(ENOTRECOVERABLE) X(ERFKILL) X(EHWPOISON)
// clang-format on

constexpr NamedValue kNamed[] = {
#define NETRIG_ERRNO_ROW(name) {#name, name},
    NETRIG_ERRNO_TABLE(NETRIG_ERRNO_ROW)
#undef NETRIG_ERRNO_ROW
};
#undef NETRIG_ERRNO_TABLE

// Second names of the values above; name() never answers one.
constexpr NamedValue kAliases[] = {
    {"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};

}  // namespace

std::optional<Errno> Errno::from_name(std::string_view name) {
  if (name == "TIMEOUT") return timeout();
  if (name == "EOF") return eof();
  for (const NamedValue& row : kNamed) {
    if (row.name == name) return Errno(row.value);
  }
  for (const NamedValue& row : kAliases) {
    if (row.name == name) return Errno(row.value);
  }
  return std::nullopt;
}

const std::vector<std::string>& Errno::names() {
  static const std::vector<std::string> sorted = [] {
    std::vector<std::string> all = {"TIMEOUT", "EOF"};
    for (const NamedValue& row : kNamed) all.emplace_back(row.name);
    for (const NamedValue& row : kAliases) all.emplace_back(row.name);
    std::sort(all.begin(), all.end());
    return all;
  }();
  return sorted;
}

std::string Errno::name() const {
  if (*this == timeout()) return "TIMEOUT";
  if (*this == eof()) return "EOF";
  for (const NamedValue& row : kNamed) {
    if (row.value == value_) return std::string(row.name);
  }
  return fmt::format("errno {}", value_);
}

std::string Errno::text() const {
  if (*this == timeout()) return "Deadline passed";
  if (*this == eof()) return "End of stream";
  // Unlike strerror this one never translates.
  const char* description = strerrordesc_np(value_);
  return description != nullptr ? description : fmt::format("Unknown error {}", value_);
}

}  // namespace netrig
