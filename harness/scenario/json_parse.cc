// Located JSON: nlohmann_json's SAX parser says what comes, a cursor over the same text says where.
// The parser knows no places, so the cursor walks on from token to token with each of its events;
// where a string ends is taken from the iterator through which the parser reads: it counts.
#include <fmt/format.h>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/scenario/json_syntax.h"
#include "harness/scenario/node.h"
#include "harness/scenario/reader.h"

namespace netrig {

namespace {

// The parser copies its iterator, so the count lives where both sides see it.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }

 private:
  const char* at_;
  size_t* count_;
};

class TreeBuilder {
 public:
  using Last = JsonProgress::Last;

  TreeBuilder(std::string_view text, const size_t* read, Node& root,
              std::vector<Diagnostic>& mistakes)
      : read_(read), root_(root), mistakes_(mistakes), progress_{JsonCursor(text), {}, {}} {}

  // nlohmann_json's SAX interface; false ends the parse.
  bool null() { return scalar(Node::Kind::kNull) != nullptr; }
  bool boolean(bool value) {
    Node* node = scalar(Node::Kind::kBoolean);
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }
  bool number_integer(int64_t value) {
    Node* node = scalar(Node::Kind::kInteger);
    if (node != nullptr) node->integer = value;
    return node != nullptr;
  }
  bool number_unsigned(uint64_t value) {
    Node* node = scalar(Node::Kind::kInteger);
    if (node == nullptr) return false;
    constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
    node->integer = value > uint64_t{kMax} ? kMax : static_cast<int64_t>(value);
    return value <= uint64_t{kMax} || too_large(*node);
  }
  bool number_float(double value, const std::string& text) {
    Node* node = scalar(Node::Kind::kReal);
    if (node == nullptr) return false;
    node->real = value;
    return text.find_first_of(".eE") != std::string::npos || too_large(*node);
  }
  bool string(std::string& value) {
    Node* node = scalar(Node::Kind::kString);
    if (node != nullptr) node->string = std::move(value);
    return node != nullptr;
  }
  bool binary(nlohmann::json::binary_t&) { return false; }  // not in JSON text
  bool start_object(size_t) { return open(Node::Kind::kObject); }
  bool start_array(size_t) { return open(Node::Kind::kArray); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& key);
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) {
    mistakes_.push_back(explain_syntax_error(progress_));
    return false;
  }

 private:
  struct Frame {
    Node* node = nullptr;
    std::map<std::string, Location> keys;
    bool last_is_duplicate = false;
  };

  Node* add(Node::Kind kind);
  Node* scalar(Node::Kind kind);
  bool open(Node::Kind kind);
  bool close();
  bool too_large(const Node& node);
  void drop_duplicate(Frame& frame);
  bool complain(Location at, std::string message);

  const size_t* read_;
  Node& root_;
  std::vector<Diagnostic>& mistakes_;
  JsonProgress progress_;
  std::vector<Frame> frames_;
  size_t nodes_ = 0;
};

// False: enough said.
bool TreeBuilder::complain(Location at, std::string message) {
  mistakes_.push_back({at, std::move(message), {}});
  return mistakes_.size() < kDiagnosticsMax;
}

bool TreeBuilder::too_large(const Node& node) {
  return complain(node.at, "this integer does not fit 64 bits with a sign");
}

Node* TreeBuilder::add(Node::Kind kind) {
  progress_.cursor.skip_to_token();
  if (++nodes_ > kNodesMax) {
    complain(progress_.cursor.here(), fmt::format("the file has more than {} values", kNodesMax));
    return nullptr;
  }
  Node* node = &root_;
  if (!frames_.empty()) {
    Node& parent = *frames_.back().node;
    // The parent's vector does not grow while a child of it is open, so pointers into it hold.
    node = parent.kind == Node::Kind::kObject ? &parent.members.back().value
                                              : &parent.elements.emplace_back();
  }
  node->kind = kind;
  node->at = progress_.cursor.here();
  return node;
}

Node* TreeBuilder::scalar(Node::Kind kind) {
  Node* node = add(kind);
  if (node == nullptr) return nullptr;
  JsonCursor& cursor = progress_.cursor;
  const bool number = kind == Node::Kind::kInteger || kind == Node::Kind::kReal;
  if (kind == Node::Kind::kString) {
    cursor.advance_to(*read_);
  } else {
    cursor.advance(number ? cursor.number_size() : cursor.word_size());
  }
  node->at.length = cursor.here().column - node->at.column;  // no scalar spans lines
  progress_.last = number ? Last::kNumber : Last::kValue;
  return node;
}

bool TreeBuilder::open(Node::Kind kind) {
  Node* node = add(kind);
  if (node == nullptr) return false;
  if (frames_.size() >= kScenarioDepthMax) {
    complain(node->at, fmt::format("more than {} levels of nesting", kScenarioDepthMax));
    return false;
  }
  progress_.cursor.advance(1);
  progress_.last = Last::kOpening;
  progress_.open.push_back({kind == Node::Kind::kObject, node->at});
  frames_.push_back({node, {}, false});
  return true;
}

bool TreeBuilder::close() {
  drop_duplicate(frames_.back());
  JsonCursor& cursor = progress_.cursor;
  cursor.skip_to_token();
  cursor.advance(1);
  Location& at = frames_.back().node->at;
  if (cursor.here().line == at.line) at.length = cursor.here().column - at.column;
  frames_.pop_back();
  progress_.open.pop_back();
  progress_.last = Last::kValue;
  return true;
}

bool TreeBuilder::key(std::string& key) {
  Frame& frame = frames_.back();
  drop_duplicate(frame);
  JsonCursor& cursor = progress_.cursor;
  cursor.skip_to_token();
  Location at = cursor.here();
  cursor.advance_to(*read_);
  at.length = cursor.here().column - at.column;
  progress_.last = Last::kKey;

  const auto [first, is_new] = frame.keys.try_emplace(key, at);
  frame.last_is_duplicate = !is_new;
  frame.node->members.push_back({std::move(key), at, {}});
  return is_new || complain(at, fmt::format("duplicate key '{}', first at {}:{}", first->first,
                                            first->second.line, first->second.column));
}

// Its value had to be read, but only the first of equal keys stays in the tree.
void TreeBuilder::drop_duplicate(Frame& frame) {
  if (frame.last_is_duplicate) frame.node->members.pop_back();
  frame.last_is_duplicate = false;
}

// What the parser would not find, or not say well. True if something was found.
bool find_bad_octets(std::string_view text, std::vector<Diagnostic>& mistakes) {
  auto complain = [&](size_t offset, std::string message) {
    JsonCursor cursor(text);
    cursor.advance_to(offset);
    mistakes.push_back({cursor.here(), std::move(message), {}});
    return true;
  };
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return complain(0, "the file is UTF-16; scenarios are UTF-8");
  }
  if (const std::optional<size_t> offset = first_invalid_utf8(text)) {
    return complain(*offset, fmt::format("the octet 0x{:02x} is not UTF-8",
                                         static_cast<unsigned char>(text[*offset])));
  }
  // nlohmann_json takes it for the end of the file.
  const size_t nul = text.find('\0');
  return nul != std::string_view::npos && complain(nul, "a NUL octet; is this a text file?");
}

}  // namespace

bool parse_json(const SourceFile& file, Node& root, std::vector<Diagnostic>& mistakes) {
  const std::string_view text = file.text();
  if (text.size() > kScenarioBytesMax) {
    mistakes.push_back({{},
                        fmt::format("the file has {} octets, a scenario has at most {}",
                                    text.size(), format_size(kScenarioBytesMax)),
                        {}});
    return false;
  }
  if (find_bad_octets(text, mistakes)) return false;
  size_t read = 0;
  TreeBuilder builder(text, &read, root, mistakes);
  return nlohmann::json::sax_parse(CountingIterator(text.data(), &read),
                                   CountingIterator(text.data() + text.size(), &read), &builder,
                                   nlohmann::json::input_format_t::json, /*strict=*/true,
                                   /*ignore_comments=*/true);
}

}  // namespace netrig
