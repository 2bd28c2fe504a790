#include "harness/run/ladder_text.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "harness/base/text.h"

namespace netrig {

namespace {

constexpr size_t kColumnsMax = 8;
constexpr size_t kGapMin = 16;     // characters from one lifeline to the next
constexpr size_t kNameMax = 24;    // of an actor's name above its lifeline
constexpr size_t kWidthMax = 100;  // of all gaps together, if every gap can hold two names
constexpr size_t kArrowRest = 11;  // of a span that no label takes: "---- " and " --x  "
constexpr size_t kWordsMax = 100;  // of a row that is no arrow
constexpr size_t kNamesShown = 5;  // of actors without a column

// What a row says; drawn later, since only the rows that are kept decide the widths.
struct Row {
  Instant at;
  std::optional<size_t> from, to;      // columns; an arrow if both are set and differ
  const Transfer* transfer = nullptr;  // its payload is part of the label
  const FateRecord* fate = nullptr;
  std::string text;  // the label without a transfer; words before the payload
  bool failing = false;

  bool is_arrow() const { return from && to && *from != *to; }
  bool is_lost() const { return fate != nullptr && fate->fate.dropped != DropCause::kNone; }
};

// ---- columns

std::vector<std::string> choose_columns(const Journal& journal,
                                        const std::vector<Finding>& findings,
                                        std::vector<std::string>& left_out) {
  std::vector<std::string> names;
  std::map<std::string, bool> seen;
  for (const Event& event : journal.events()) {
    if (!event.actor.empty() && seen.try_emplace(event.actor, false).second) {
      names.push_back(event.actor);
    }
  }
  // Who is to blame has a column first; then those who came first.
  size_t chosen = 0;
  const auto choose = [&](const std::string& name) {
    const auto found = seen.find(name);
    if (found == seen.end() || found->second || chosen == kColumnsMax) return;
    found->second = true;
    ++chosen;
  };
  for (const Finding& finding : findings) choose(finding.actor);
  for (const std::string& name : names) choose(name);
  std::erase_if(names, [&](const std::string& name) {
    if (seen.at(name)) return false;
    left_out.push_back(name);
    return true;
  });
  return names;
}

// ---- rows

class RowCollector {
 public:
  RowCollector(const std::vector<std::string>& columns, const std::vector<Finding>& findings)
      : columns_(columns), findings_(findings), told_(findings.size(), false) {}

  void add(const Event& event) {
    event_ = &event;
    actor_ = column_of(event.actor);
    std::visit([this](const auto& what) { on(what); }, event.what);
  }

  // What nobody's end told of comes last.
  std::vector<Row> take(Instant end) {
    for (size_t i = 0; i < findings_.size(); ++i) tell(i, end);
    return std::move(rows_);
  }
  uint64_t not_drawn() const { return not_drawn_; }

 private:
  void on(const StepStarted&) {}
  void on(const ActorStarted&) {}
  void on(const FateRecord& it) {
    if (!it.packet.is_datagram()) return;  // no transfer is a segment
    const std::string sender = it.activity.str().substr(0, it.activity.str().find(" step "));
    pending_fates_[{sender, it.size}].push_back(&it);
  }
  void on(const ArrivalRecord&) {}
  void on(const StepEnded& it) {
    if (!it.error.empty()) add_row("", fmt::format("{}: {}", it.verb, it.error));
  }
  void on(const Transfer& it) {
    const FateRecord* fate = it.sent ? take_fate(it) : nullptr;
    // A receive is drawn by its send, if that has a column.
    if (!it.sent && actor_ && column_of(it.peer)) return;
    add_row(it.sent ? it.peer : "", fmt::format("{} {} ", it.sent ? "->" : "<-", it.peer));
    if (!actor_) return;
    rows_.back().transfer = &it;
    rows_.back().fate = fate;
  }
  void on(const ConnectionOpened& it) {
    const std::string peer = it.peer.empty() ? it.remote.to_string() : it.peer;
    peers_[it.connection] = peer;
    if (!it.accepted) {
      add_row(peer, column_of(peer) ? "connect" : "connects to " + peer);
    } else if (!column_of(peer)) {
      add_row("", "accepts a connection of " + peer);
    }
  }
  void on(const ConnectionClosed& it) {
    if (it.how == "end of run") return;
    add_row(peers_[it.connection], it.how == "end of actor" ? "close (end of actor)" : it.how);
  }
  void on(const ActorEnded& it) {
    if (it.finished) return;
    for (size_t i = 0; i < findings_.size(); ++i) {
      if (findings_[i].actor == event_->actor) tell(i, event_->at);
    }
  }

  void add_row(const std::string& peer, std::string text) {
    if (!actor_) {
      ++not_drawn_;
      return;
    }
    rows_.push_back(Row{event_->at, actor_, column_of(peer), nullptr, nullptr, std::move(text)});
  }

  void tell(size_t finding, Instant at) {
    const std::optional<size_t> column = column_of(findings_[finding].actor);
    if (told_[finding] || !column) return;  // without an actor: an expectation, not an event
    told_[finding] = true;
    const std::string& message = findings_[finding].diagnostic.message;
    rows_.push_back(Row{at, column, std::nullopt, nullptr, nullptr, message, true});
  }

  // The link decides while the sender is inside its step ("client step 2 (send)"): its oldest
  // decision of this size is meant.
  const FateRecord* take_fate(const Transfer& it) {
    if (!keeps_boundaries(it.transport)) return nullptr;
    const auto found = pending_fates_.find({event_->actor, it.octets});
    if (found == pending_fates_.end() || found->second.empty()) return nullptr;
    const FateRecord* fate = found->second.front();
    found->second.pop_front();
    return fate;
  }

  // An instance's column; an actor's name means its only instance.
  std::optional<size_t> column_of(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    const auto exact = std::ranges::find(columns_, name);
    if (exact != columns_.end()) return static_cast<size_t>(exact - columns_.begin());
    std::optional<size_t> only;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const bool is_instance =
          columns_[i].starts_with(name + '#') || columns_[i].starts_with(name + '-');
      if (is_instance && only) return std::nullopt;
      if (is_instance) only = i;
    }
    return only;
  }

  const std::vector<std::string>& columns_;
  const std::vector<Finding>& findings_;
  std::vector<bool> told_;
  std::vector<Row> rows_;
  std::map<std::pair<std::string, uint64_t>, std::deque<const FateRecord*>> pending_fates_;
  std::map<uint64_t, std::string> peers_;  // by connection
  const Event* event_ = nullptr;
  std::optional<size_t> actor_;
  uint64_t not_drawn_ = 0;
};

// ---- text

std::string cut(std::string text, size_t width) {
  std::ranges::replace_if(text, [](char c) { return static_cast<uint8_t>(c) < 0x20; }, ' ');
  if (first_invalid_utf8(text)) text = format_quoted(text, width);
  if (display_width(text) <= width) return text;
  while (!text.empty() && display_width(text) + 2 > width) {
    while (!text.empty() && (static_cast<uint8_t>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  return text + "..";
}

// As much of a payload as fits: "ping 1", "GET / HT".. 1500 octets, or the number alone.
std::string payload_text(const Transfer& transfer, size_t width) {
  const ByteView preview = transfer.preview;
  for (size_t shown = preview.size(); shown > 0 || preview.empty(); --shown) {
    if (shown < preview.size() && (octet_at(preview, shown) & 0xC0) == 0x80) continue;
    std::string text = format_quoted(preview.substr(0, shown), kPreviewOctets);
    if (shown < transfer.octets) text += fmt::format(".. {}", plural(transfer.octets, "octet"));
    if (display_width(text) <= width || preview.empty()) return text;
  }
  return cut(plural(transfer.octets, "octet"), width);
}

std::string row_text(const Row& row, size_t width) {
  if (row.transfer == nullptr) return cut(row.text, width);
  const std::string before = row.is_arrow() ? "" : row.text;
  std::string after;
  if (row.fate != nullptr && !row.fate->fate.delivered_untouched()) {
    const Fate& fate = row.fate->fate;
    after = fmt::format(" ({})", row.is_lost() ? drop_cause_name(fate.dropped) : format_fate(fate));
    const size_t whole = display_width(payload_text(*row.transfer, width));
    if (after.size() + std::min<size_t>(whole, 12) > width) after.clear();  // the payload says more
  }
  const size_t taken = std::min(width, display_width(before) + after.size());
  return cut(before + payload_text(*row.transfer, width - taken) + after, width);
}

void pad(std::string& line, size_t width) {
  const size_t now = display_width(line);
  if (now < width) line.append(width - now, ' ');
}

// Exactly `span` characters: `---- label ---->`, `<---- label ----`, `---- label --x  `,
// `  x-- label ----`.
std::string arrow(const Row& row, size_t span) {
  const std::string label = row_text(row, span - kArrowRest);
  const bool rightwards = *row.from < *row.to;
  const size_t dashes = span - display_width(label) - 2;
  std::string tail(dashes / 2, '-');
  std::string head(dashes - dashes / 2, '-');
  const std::string_view rightmost = row.is_lost() ? "x  " : ">";
  const std::string_view leftmost = row.is_lost() ? "  x" : "<";
  if (rightwards) {
    head.replace(head.size() - rightmost.size(), rightmost.size(), rightmost);
  } else {
    head.replace(0, leftmost.size(), leftmost);
  }
  return rightwards ? fmt::format("{} {} {}", tail, label, head)
                    : fmt::format("{} {} {}", head, label, tail);
}

class Picture {
 public:
  Picture(const std::vector<std::string>& columns, const std::vector<Row>& rows) {
    for (const std::string& name : columns) columns_.push_back(cut(name, kNameMax));
    for (const Row& row : rows) time_width_ = std::max(time_width_, time_text(row.at).size());
    const size_t gaps = columns_.size() - 1;
    const size_t gap_max = std::max(kNameMax + 3, kWidthMax / std::max<size_t>(gaps, 1));
    std::vector<size_t> gap(gaps, kGapMin);
    for (size_t i = 0; i < gaps; ++i) {
      gap[i] = std::max(gap[i], (columns_[i].size() + columns_[i + 1].size()) / 2 + 3);
    }
    for (const Row& row : rows) {
      if (!row.is_arrow()) continue;
      const size_t first = std::min(*row.from, *row.to);
      if (std::max(*row.from, *row.to) != first + 1) continue;
      gap[first] = std::max(gap[first], display_width(row_text(row, gap_max)) + kArrowRest + 1);
    }
    positions_.push_back(time_width_ + 5 + columns_[0].size() / 2);
    for (size_t width : gap) positions_.push_back(positions_.back() + std::min(width, gap_max));
  }

  std::string header() const {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      pad(line, positions_[i] - columns_[i].size() / 2);
      line += columns_[i];
    }
    return line + '\n';
  }

  std::string draw(const Row& row) const {
    std::string line =
        fmt::format("{:>{}} {}", time_text(row.at), time_width_, row.failing ? "!!" : "  ");
    const size_t first = row.is_arrow() ? std::min(*row.from, *row.to) : *row.from;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (display_width(line) > positions_[i]) continue;  // words stand here
      pad(line, positions_[i]);
      line += '|';
      if (i != first) continue;
      if (row.is_arrow()) {
        const size_t last = std::max(*row.from, *row.to);
        line += arrow(row, positions_[last] - positions_[first] - 1);
        i = last - 1;
      } else {
        line += ' ' + row_text(row, kWordsMax) + ' ';
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + '\n';
  }

 private:
  static std::string time_text(Instant at) {
    const int64_t microseconds = at.time_since_epoch().count() / 1000;
    return fmt::format("{}.{:03} ms", microseconds / 1000, microseconds % 1000);
  }

  std::vector<std::string> columns_;
  std::vector<size_t> positions_;  // of the lifelines
  size_t time_width_ = 0;
};

std::string words_about_the_rest(const std::vector<std::string>& left_out, uint64_t not_drawn) {
  if (left_out.empty()) return "";
  std::string names;
  for (size_t i = 0; i < std::min(left_out.size(), kNamesShown); ++i) {
    names += (i == 0 ? "" : ", ") + left_out[i];
  }
  if (left_out.size() > kNamesShown) names += ", ...";
  return fmt::format("{} of {} not drawn: {}\n", plural(not_drawn, "event"),
                     plural(left_out.size(), "more actor"), names);
}

}  // namespace

std::string ladder_text(const Journal& journal, const std::vector<Finding>& findings, size_t rows) {
  std::vector<std::string> left_out;
  const std::vector<std::string> columns = choose_columns(journal, findings, left_out);
  if (columns.empty()) return "";
  RowCollector collector(columns, findings);
  for (const Event& event : journal.events()) collector.add(event);
  std::vector<Row> all = collector.take(journal.events().back().at);

  const size_t omitted = all.size() > rows ? all.size() - rows : 0;
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(omitted));
  const Picture picture(columns, all);
  std::string text = picture.header();
  if (omitted > 0) text += fmt::format("... {} left out\n", plural(omitted, "event"));
  for (const Row& row : all) text += picture.draw(row);
  return text + words_about_the_rest(left_out, collector.not_drawn());
}

}  // namespace netrig
