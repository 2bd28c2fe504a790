#include "harness/cli/selection.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace netrig {

struct Selection::Expression {
  enum class Kind : uint8_t { kWord, kNot, kAnd, kOr };
  Kind kind = Kind::kWord;
  std::string word;  // lower case
  std::vector<Expression> parts;
};

namespace {

using Expression = Selection::Expression;

constexpr int kDepthMax = 100;

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

struct Token {
  enum class Kind : uint8_t { kWord, kAnd, kOr, kNot, kOpen, kClose, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
  size_t at = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  std::expected<Expression, std::string> parse() {
    Expression whole = parse_or(0);
    if (error_.empty() && token_.kind != Token::Kind::kEnd) {
      fail(token_.kind == Token::Kind::kClose ? "a ')' without a '('"
                                              : "'and' or 'or' is missing before this");
    }
    if (!error_.empty()) return std::unexpected(error_);
    return whole;
  }

 private:
  Expression parse_or(int depth) { return parse_list(depth, Token::Kind::kOr); }

  // A chain of one operator; the operands of "or" are chains of "and".
  Expression parse_list(int depth, Token::Kind separator) {
    bool is_or = separator == Token::Kind::kOr;
    auto part = [&] { return is_or ? parse_list(depth, Token::Kind::kAnd) : parse_term(depth); };
    Expression first = part();
    if (!error_.empty() || token_.kind != separator) return first;
    Expression list;
    list.kind = is_or ? Expression::Kind::kOr : Expression::Kind::kAnd;
    list.parts.push_back(std::move(first));
    while (error_.empty() && token_.kind == separator) {
      advance();
      list.parts.push_back(part());
    }
    return list;
  }

  Expression parse_term(int depth) {
    Expression term;
    if (depth > kDepthMax) {
      fail("it is nested too deeply");
      return term;
    }
    switch (token_.kind) {
      case Token::Kind::kNot:
        advance();
        term.kind = Expression::Kind::kNot;
        term.parts.push_back(parse_term(depth + 1));
        return term;
      case Token::Kind::kOpen:
        advance();
        term = parse_or(depth + 1);
        if (error_.empty() && token_.kind != Token::Kind::kClose) fail("a ')' is missing");
        if (error_.empty()) advance();
        return term;
      case Token::Kind::kWord:
        term.word = lower_case(token_.text);
        advance();
        return term;
      default:
        fail("a word is missing");
        return term;
    }
  }

  void advance() {
    size_t start = text_.find_first_not_of(" \t\r\n", next_);
    if (start == std::string_view::npos) {
      next_ = text_.size();
      token_ = {Token::Kind::kEnd, "", text_.size()};
      return;
    }
    char c = text_[start];
    if (c == '(' || c == ')') {
      next_ = start + 1;
      token_ = {c == '(' ? Token::Kind::kOpen : Token::Kind::kClose, std::string(1, c), start};
    } else if (c == '\'' || c == '"') {
      quoted(start);
    } else {
      next_ = std::min(text_.find_first_of(" \t\r\n()", start), text_.size());
      token_ = {Token::Kind::kWord, std::string(text_.substr(start, next_ - start)), start};
      if (token_.text == "and") token_.kind = Token::Kind::kAnd;
      if (token_.text == "or") token_.kind = Token::Kind::kOr;
      if (token_.text == "not") token_.kind = Token::Kind::kNot;
    }
  }

  void quoted(size_t start) {
    size_t end = text_.find(text_[start], start + 1);
    token_ = {Token::Kind::kEnd, "", start};
    if (end == std::string_view::npos) {
      next_ = text_.size();
      fail("this quote is not closed");
      return;
    }
    next_ = end + 1;
    token_ = {Token::Kind::kWord, std::string(text_.substr(start + 1, end - start - 1)), start};
  }

  void fail(std::string_view what) {
    if (!error_.empty()) return;
    error_ = fmt::format("{} at character {} of '{}'", what, token_.at + 1, text_);
  }

  std::string_view text_;
  size_t next_ = 0;
  Token token_;
  std::string error_;
};

bool evaluate(const Expression& expression, const std::vector<std::string>& texts) {
  auto holds = [&](const Expression& part) { return evaluate(part, texts); };
  switch (expression.kind) {
    case Expression::Kind::kWord:
      return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return text.find(expression.word) != std::string::npos;
      });
    case Expression::Kind::kNot:
      return !holds(expression.parts[0]);
    case Expression::Kind::kAnd:
      return std::all_of(expression.parts.begin(), expression.parts.end(), holds);
    case Expression::Kind::kOr:
      return std::any_of(expression.parts.begin(), expression.parts.end(), holds);
  }
  return false;
}

}  // namespace

std::expected<Selection, std::string> Selection::parse(const std::string& expression,
                                                       std::vector<std::string> tags) {
  Selection selection;
  selection.tags_ = std::move(tags);
  if (expression.empty()) return selection;
  auto parsed = Parser(expression).parse();
  if (!parsed) return std::unexpected(parsed.error());
  selection.expression_ = std::make_shared<const Expression>(std::move(*parsed));
  return selection;
}

bool Selection::matches(const SelectionSubject& subject) const {
  bool tagged =
      tags_.empty() || std::any_of(tags_.begin(), tags_.end(), [&](const auto& tag) {
        return std::find(subject.tags.begin(), subject.tags.end(), tag) != subject.tags.end();
      });
  if (!tagged || !expression_) return tagged;
  std::vector<std::string> texts{lower_case(subject.id), lower_case(subject.name),
                                 lower_case(subject.path), lower_case(subject.row)};
  for (const std::string& tag : subject.tags) texts.push_back(lower_case(tag));
  return evaluate(*expression_, texts);
}

}  // namespace netrig
