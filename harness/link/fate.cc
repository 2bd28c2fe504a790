#include "harness/link/fate.h"

#include <fmt/format.h>

#include "harness/base/quantity.h"

namespace netrig {

const char* drop_cause_name(DropCause cause) {
  switch (cause) {
    case DropCause::kNone:
      return "";
    case DropCause::kLoss:
      return "loss";
    case DropCause::kRule:
      return "rule";
    case DropCause::kQueue:
      return "queue full";
    case DropCause::kMtu:
      return "too big";
    case DropCause::kPartition:
      return "partition";
    case DropCause::kCodel:
      return "codel";
  }
  return "";
}

std::string format_fate(const Fate& fate) {
  if (fate.dropped != DropCause::kNone) {
    return fmt::format("dropped ({})", drop_cause_name(fate.dropped));
  }
  std::string text;
  auto add = [&](std::string_view what) { text += (text.empty() ? "" : ", ") + std::string(what); };
  if (fate.copies > 1) add("duplicated");
  if (fate.copy_dropped) {
    add(fmt::format("duplicate dropped ({})", drop_cause_name(fate.copy_cause)));
  }
  if (fate.corrupt_bit) add(fmt::format("corrupted (bit {})", *fate.corrupt_bit));
  if (fate.marked) add("marked");
  if (fate.reordered) add("reordered");
  if (fate.delay != Duration{0}) add("delayed " + format_duration(fate.delay));
  return text.empty() ? "delivered" : text;
}

}  // namespace netrig
