#pragma once
// Values for `${name}` in the strings of a tree: of `vars`, of a matrix's row, of the environment,
// of a part's parameters. They are put in after parsing, so they never break the JSON. A string
// that is nothing but `${x}` becomes the value with its type; names without a value stay as they
// are. Which names there should be is not known here.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/node.h"

namespace netrig {

inline constexpr size_t kInterpolatedBytesMax = size_t{64} << 20;  // of a whole file

// How much text may still be put into one file. A small file can ask for much: a long value, named
// often.
class TextBudget {
 public:
  // False if there is not so much left; the first time it is a mistake.
  bool spend(size_t octets, Location at, std::vector<Diagnostic>& mistakes);
  bool overflowed() const { return octets_ > kInterpolatedBytesMax; }

 private:
  size_t octets_ = 0;
};

class Substitution {
 public:
  // Both outlive it.
  Substitution(TextBudget& budget, std::vector<Diagnostic>& mistakes)
      : budget_(budget), mistakes_(mistakes) {}

  void set(const std::string& name, Node value) { values_[name] = std::move(value); }
  // The text stands for itself, whatever characters it has.
  void set_plain(const std::string& name, std::string_view text, Location at = {});
  bool has(const std::string& name) const { return values_.contains(name); }

  // Changes every string of the tree; keys stay as they are. Lists and objects are put in only for
  // a string that is one variable alone, and keep their places.
  void apply(Node& node);

 private:
  void apply_to_string(Node& node);
  void replace(Node& node, const Node& value);

  TextBudget& budget_;
  std::vector<Diagnostic>& mistakes_;
  std::map<std::string, Node> values_;
};

// A string, an integer, a number, true or false.
bool is_scalar(const Node& node);

}  // namespace netrig
