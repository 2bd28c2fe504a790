// JSON text of a tree: short objects and arrays on one line, the rest indented.
#include <algorithm>
#include <fmt/format.h>

#include "harness/scenario/node.h"

namespace netrig {

namespace {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_scalar(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kBoolean:
      out += node.boolean ? "true" : "false";
      break;
    case Node::Kind::kInteger:
      out += std::to_string(node.integer);
      break;
    case Node::Kind::kReal: {
      const std::string digits = fmt::format("{}", node.real);  // the shortest that reads back
      out += digits;
      if (digits.find_first_of(".e") == std::string::npos) out += ".0";  // stays no integer
      break;
    }
    case Node::Kind::kString:
      append_string(out, node.string);
      break;
    default:
      out += "null";
  }
}

bool is_container(const Node& node) {
  return node.kind == Node::Kind::kArray || node.kind == Node::Kind::kObject;
}

// All on one line; false as soon as `out` is longer than `limit`.
bool append_flat(std::string& out, const Node& node, size_t limit) {
  if (!is_container(node)) {
    append_scalar(out, node);
    return out.size() <= limit;
  }
  const bool object = node.kind == Node::Kind::kObject;
  const size_t count = object ? node.members.size() : node.elements.size();
  if (count == 0) {
    out += object ? "{}" : "[]";
    return out.size() <= limit;
  }
  // "[[" reads better than "[ [", and an object keeps off its braces.
  const bool spaced = object || node.elements.front().kind == Node::Kind::kObject;
  out += object ? "{ " : spaced ? "[ " : "[";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    if (object) {
      append_string(out, node.members[i].key);
      out += ": ";
    }
    if (!append_flat(out, object ? node.members[i].value : node.elements[i], limit)) return false;
  }
  out += object ? " }" : spaced ? " ]" : "]";
  return out.size() <= limit;
}

// A long list of short values fills its lines.
void append_filled(std::string& out, const Node& node, size_t indent, size_t width) {
  const std::string margin(indent + 2, ' ');
  out += "[\n";
  std::string line = margin;
  for (size_t i = 0; i < node.elements.size(); ++i) {
    std::string word;
    append_scalar(word, node.elements[i]);
    if (i + 1 < node.elements.size()) word += ',';
    const bool first = line.size() == margin.size();
    if (!first && line.size() + 1 + word.size() > width) {
      out += line + '\n';
      line = margin + word;
    } else {
      line += (first ? "" : " ") + word;
    }
  }
  out += line + '\n' + std::string(indent, ' ') + ']';
}

void append_node(std::string& out, const Node& node, size_t indent, size_t column, size_t width) {
  std::string flat;
  // One column stays for the comma behind it.
  if (column + 1 < width && append_flat(flat, node, width - column - 1)) {
    out += flat;
    return;
  }
  if (!is_container(node)) {
    append_scalar(out, node);
    return;
  }
  const bool object = node.kind == Node::Kind::kObject;
  if (!object && std::ranges::none_of(node.elements, is_container)) {
    append_filled(out, node, indent, width);
    return;
  }
  const size_t count = object ? node.members.size() : node.elements.size();
  const std::string margin(indent + 2, ' ');
  out += object ? "{\n" : "[\n";
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = out.size();
    out += margin;
    if (object) {
      append_string(out, node.members[i].key);
      out += ": ";
    }
    append_node(out, object ? node.members[i].value : node.elements[i], indent + 2,
                out.size() - begin, width);
    out += i + 1 < count ? ",\n" : "\n";
  }
  out += std::string(indent, ' ');
  out += object ? '}' : ']';
}

}  // namespace

std::string print_json(const Node& root, size_t width) {
  std::string out;
  append_node(out, root, 0, 0, width);
  out += '\n';
  return out;
}

}  // namespace netrig
