#pragma once
// Where a JSON parse stands in its text, and what is wrong where it stopped, in a user's words.
// Used by parse_json only. The parser itself is nlohmann_json's; this file knows the text around
// it.

#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/scenario/source.h"

namespace netrig {

// A place in the text that only moves forward and counts lines and columns (code points) as it
// goes.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  bool at_end() const { return offset_ >= text_.size(); }
  char peek(size_t ahead = 0) const {
    return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0';
  }
  size_t offset() const { return offset_; }
  Location here(uint32_t length = 1) const { return {line_, column_, length}; }
  Location last_place() const;  // behind the text's last octet that is no white space
  std::string_view rest() const { return text_.substr(offset_); }

  // Over white space, a byte order mark and comments; stops at a comment without an end.
  void skip_space();
  void skip_to_token();  // also over ',' and ':'
  void advance_to(size_t offset);
  void advance(size_t octets) { advance_to(offset_ + octets); }

  // Octets of the token that begins here, as far as it is well-formed.
  size_t string_size() const;  // with its quotes; 0 if there is no end
  size_t number_size() const;
  size_t word_size() const;  // letters, digits and what stands in units and names

 private:
  size_t comment_size() const;  // 0: none, or without an end

  std::string_view text_;
  size_t offset_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
};

// What the parser understood before it stopped.
struct JsonProgress {
  enum class Last : uint8_t { kNothing, kOpening, kKey, kNumber, kValue };
  struct Opening {
    bool object = false;
    Location at;
  };
  JsonCursor cursor;  // behind the last token understood
  Last last = Last::kNothing;
  std::vector<Opening> open;  // objects and lists, the outermost first
};

Diagnostic explain_syntax_error(const JsonProgress& progress);

}  // namespace netrig
