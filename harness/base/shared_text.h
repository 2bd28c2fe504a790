#pragma once
// A text that many hold and nobody changes: who did something, on which packet, in which flow. To
// hand it on costs no copy of its characters. Compared by what it says.

#include <memory>
#include <ostream>
#include <string>
#include <utility>

namespace netrig {

class SharedText {
 public:
  SharedText() = default;  // ""
  // NOLINTBEGIN(google-explicit-constructor): it is a string to whoever makes or reads one.
  SharedText(std::string text)
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}
  operator const std::string&() const { return str(); }
  // NOLINTEND(google-explicit-constructor)

  const std::string& str() const {
    static const std::string kEmpty;
    return text_ == nullptr ? kEmpty : *text_;
  }
  bool empty() const { return text_ == nullptr; }

  friend bool operator==(const SharedText& a, const SharedText& b) {
    return a.text_ == b.text_ || a.str() == b.str();
  }
  friend bool operator==(const SharedText& a, const std::string& b) { return a.str() == b; }
  friend bool operator==(const SharedText& a, const char* b) { return a.str() == b; }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& text) {
    return out << text.str();
  }

 private:
  std::shared_ptr<const std::string> text_;  // null: empty
};

}  // namespace netrig
