#include "harness/sockets/program.h"

#include <algorithm>

namespace netrig {
namespace {

constexpr size_t kLineMax = 400;

void add_last_lines(const Bytes& text, const char* prefix, size_t count,
                    std::vector<std::string>& lines) {
  std::vector<std::string> last;
  size_t end = text.size();
  if (end > 0 && text[end - 1] == '\n') --end;
  while (last.size() < count && end > 0) {
    const size_t newline = text.rfind('\n', end - 1);
    const size_t begin = newline == Bytes::npos ? 0 : newline + 1;
    last.push_back(prefix + text.substr(begin, std::min(end - begin, kLineMax)));
    if (newline == Bytes::npos) break;
    end = newline;
  }
  lines.insert(lines.end(), last.rbegin(), last.rend());
}

}  // namespace

std::vector<std::string> ProgramOutput::last_lines(size_t count) const {
  std::vector<std::string> lines;
  add_last_lines(out, "out: ", count, lines);
  add_last_lines(errors, "err: ", count, lines);
  return lines;
}

}  // namespace netrig
