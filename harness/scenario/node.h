#pragma once
// A JSON value with its place in the file. The tree that the reader's stages hand on: parsed,
// expanded, validated, built. Members keep the file's order. Numbers are 64-bit integers where they
// are written as such. Knows JSON and places, nothing of scenarios.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/scenario/source.h"

namespace netrig {

// A small value needs more memory than text: without a limit 16 MiB of "1,1,1," would take
// gigabytes.
inline constexpr size_t kNodesMax = 1'000'000;

struct Member;

struct Node {
  enum class Kind : uint8_t { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };

  Location at;  // of the value; for strings the quotes are included
  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string string;
  std::vector<Node> elements;
  std::vector<Member> members;

  const Member* find(std::string_view key) const;  // the member, or null (also if not an object)
  Member* find(std::string_view key);
};

struct Member {
  std::string key;
  Location key_at;  // with the quotes
  Node value;
};

const char* kind_name(Node::Kind kind);  // "a string", "an object", "an integer", ...

// Parses JSON (`//` and `/* */` comments tolerated) with nlohmann_json's SAX interface over an
// iterator that counts. Appends every mistake found to `mistakes`: a syntax error (the last, as
// parsing ends there), duplicate keys, malformed UTF-8, nesting past kScenarioDepthMax, integers
// beyond 64 bits. False if there is no tree to go on with.
bool parse_json(const SourceFile& file, Node& root, std::vector<Diagnostic>& mistakes);

// JSON text of the tree, two spaces an indent, short objects and arrays (at most `width` columns)
// on one line. Ends with '\n'. parse_json of it gives the same tree, places aside.
std::string print_json(const Node& root, size_t width = 96);

}  // namespace netrig
