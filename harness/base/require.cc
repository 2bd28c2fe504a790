#include "harness/base/require.h"

#include <cstdio>
#include <cstdlib>

namespace netrig {

void require_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: a bug in netrig: this does not hold: %s\n", file, line, condition);
  std::abort();
}

}  // namespace netrig
