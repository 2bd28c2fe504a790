"""The project's C++ files and who includes whom: read from the text, no compiler needed.

Shared by check_floors.py and check_units.py. Only includes of this project ("harness/...",
"fakes/...") are edges; everything in angle brackets is the system's.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# A literal is matched too, so that "//" in a string does not start a comment.
COMMENT_OR_LITERAL = re.compile(
    r'(?P<raw>R"(?P<tag>[^ ()\\\t\n]*)\(.*?\)(?P=tag)")'
    r'|(?P<literal>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\')'
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)",
    re.DOTALL,
)


def source_files():
    """Every .h and .cc of the house, as sorted paths relative to ROOT with forward slashes."""
    found = []
    for folder in ("harness", "fakes"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".h", ".cc") and path.is_file():
                found.append(path.relative_to(ROOT).as_posix())
    return sorted(found)


def is_test(name):
    return name.endswith(("_test.cc", "_bench.cc", "_fuzz.cc", "_testing.h"))


def without_comments(text):
    """`text` with comments and the insides of literals blanked; lines keep their numbers."""

    def blank(match):
        kept = re.sub(r"[^\n]", " ", match.group(0))
        return kept if match.group("comment") else '"' + kept[1:-1] + '"'

    return COMMENT_OR_LITERAL.sub(blank, text)


def includes(text):
    """(line, "<" or '"', name) of every #include in `text`."""
    return [
        (text.count("\n", 0, match.start(1)) + 1, match.group(1), match.group(2))
        for match in INCLUDE.finditer(text)
    ]


def read_all(names):
    return {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names}


def graph(texts):
    """{file: [project files it includes directly]}; names that do not exist are left out."""
    return {
        name: [target for _, _, target in includes(text) if target in texts]
        for name, text in texts.items()
    }


def closure(edges, start):
    """`start` and every project file it includes, directly or not, sorted."""
    seen = {start}
    waiting = [start]
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return sorted(seen)
