#pragma once
// A scenario file's text and places in it: what every diagnostic and finding points at. Knows no
// format.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

// More mistakes than these are not told: nobody reads them, and a hostile file could hold millions.
inline constexpr size_t kDiagnosticsMax = 200;

// Line and column count from 1; columns count code points; `length` is how many columns a caret
// line underlines (0 and 1: one caret). Line 0: no place in the file. `file` 0 is the file itself,
// others are those that it uses (SourceFile::file()).
struct Location {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 0;
  uint32_t file = 0;
  friend bool operator==(const Location&, const Location&) = default;
};

class SourceFile {
 public:
  SourceFile() = default;
  SourceFile(std::string path, std::string text);
  const std::string& path() const { return path_; }  // as the user gave it
  const std::string& text() const { return text_; }
  std::string_view line(uint32_t number) const;  // without its end; "" outside the file

  // Files that this one uses parts of. add() answers their number for Location::file.
  uint32_t add(std::shared_ptr<const SourceFile> used);
  const SourceFile& file(uint32_t number) const;  // this one for 0 and for unknown numbers
  std::vector<std::string> paths() const;         // of this one and all that it uses, by number

 private:
  std::string path_;
  std::string text_;
  std::vector<size_t> line_starts_;
  std::vector<std::shared_ptr<const SourceFile>> used_;
};

// A mistake in a file, or a finding of a run that a line of the file expected otherwise.
struct Diagnostic {
  Location at;
  std::string message;  // a sentence without a full stop
  std::vector<std::string>
      details;  // lines below the quoted one: suggestions, hex dumps; indented by 6
};

// file:line:column: error: message
//    31 |     { "delivery": ... },
//       |                   ^^^^
//       details...
// A quoted line longer than 160 columns is cut around the place. Ends with '\n'.
std::string format_diagnostic(const SourceFile& source, const Diagnostic& diagnostic);

// "unknown verb 'sned'", with the detail "did you mean 'send'?", or with all known names if none is
// near.
Diagnostic unknown_name(Location at, std::string_view what, std::string_view name,
                        std::span<const std::string> known);

}  // namespace netrig
