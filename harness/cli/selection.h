#pragma once
// Which scenarios are meant: -k, a boolean expression over words, and -t, tags. Pure text.
//
//   expression := conjunction { "or" conjunction }
//   conjunction := term { "and" term }
//   term := "not" term | "(" expression ")" | WORD | 'words with spaces'
//
// A WORD is true if the id, the name, the path, a tag or the matrix's row contains it, in whatever
// case (as pytest's -k).

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

struct SelectionSubject {
  std::string id;
  std::string name;
  std::string path;
  std::vector<std::string> tags;
  std::string row = {};  // of its matrix
};

class Selection {
 public:
  // `expression` empty: any; `tags` empty: any, otherwise one of them must be among the subject's.
  // The error is a sentence that shows where in the expression it is.
  static std::expected<Selection, std::string> parse(const std::string& expression,
                                                     std::vector<std::string> tags);

  bool matches(const SelectionSubject& subject) const;
  // True if every subject matches.
  bool is_everything() const { return !expression_ && tags_.empty(); }

  struct Expression;

 private:
  std::shared_ptr<const Expression> expression_;
  std::vector<std::string> tags_;
};

}  // namespace netrig
