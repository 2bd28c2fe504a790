#pragma once
// What `save` keeps of octets: all of them under one name, or numbers decoded from their front.

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "harness/run/render.h"
#include "harness/scenario/model.h"

namespace netrig {

// Names and values in the order of the file. The error is a sentence: too few octets.
std::expected<std::vector<std::pair<std::string, Value>>, std::string> saved_values(
    const Save& save, ByteView octets);

}  // namespace netrig
