#pragma once
// `use`: a step that stands for the steps of a part, of this file or of another one below its
// folder, with values for the part's parameters. Expanded right after parsing, before variables are
// put in, so that everything after it sees plain steps. Other files are read here and nowhere else:
// relative to the file that uses them, never outside the scenario's folder. Untrusted input: depth,
// number and size of files, nesting and expansion are limited.

#include <deque>
#include <string>
#include <vector>

#include "harness/scenario/node.h"
#include "harness/scenario/substitution.h"

namespace netrig {

inline constexpr size_t kUseDepthMax = 32;        // parts that use parts
inline constexpr size_t kUsedFilesMax = 64;       // of one scenario
inline constexpr size_t kUsedNodesMax = 250'000;  // values in all the parts that are put in

// Which parts were used, and where first: a mistake inside of a part says so.
class PartUses {
 public:
  struct Use {
    const Node* steps = nullptr;  // as the part has them
    Location at;
    std::string part;
  };

  // Parsed files, by Location::file; the scenario's own is the first, with its `parts` alone.
  std::deque<Node>& files() { return files_; }
  void note(const Use& use);
  // Adds "in the part 'login', used at hello.json:12:9" to mistakes that lie in a used part.
  void mention(std::vector<Diagnostic>& mistakes, const SourceFile& source) const;

 private:
  std::deque<Node> files_;
  std::vector<Use> uses_;
};

struct PartsMistakes {
  std::vector<Diagnostic>& text;     // syntax of used files
  std::vector<Diagnostic>& shape;    // of their parts
  std::vector<Diagnostic>& meaning;  // of uses
};

// Every step list of the tree's actors without `use`. Parts of the file that nobody uses are gone
// through too, so that what is wrong with their uses is told. `source` gets the files that were
// read; `folder` is the scenario's.
PartUses expand_parts(Node& root, SourceFile& source, const std::string& folder, TextBudget& budget,
                      PartsMistakes mistakes);

}  // namespace netrig
