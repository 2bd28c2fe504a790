#pragma once
// unknown_name() for names that a file itself defines, of which there may be very many.

#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/source.h"

namespace netrig {

// `told`: how many mistakes were found before. Past a screenful of them, or among very many names,
// no near one is searched for: many mistakes times many names take quadratic time.
Diagnostic unknown_among(Location at, std::string_view what, std::string_view name,
                         const std::vector<std::string>& known, size_t told);

}  // namespace netrig
