#pragma once
// One direction's parameters in words, for `netrig show`.

#include <string>
#include <vector>

#include "harness/link/link_config.h"

namespace netrig {

// "delay 20ms, jitter 5ms (normal)", "loss 10%, correlation 25%", "rate 10mbit, queue of 64KiB
// (codel)", "2 rules"; what does nothing is left out.
std::vector<std::string> describe_faults(const LinkConfig& config);

}  // namespace netrig
