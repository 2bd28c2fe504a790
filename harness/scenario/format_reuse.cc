// The format's table: what makes one file many runs, and many steps one.
#include "harness/scenario/format_forms.h"

namespace netrig::format_parts {

using namespace forms;

namespace {

Forms scalar() {
  return {template_text(), integer(std::numeric_limits<int64_t>::min()), plain(Kind::kBoolean)};
}

}  // namespace

ObjectFormat program() {
  return {
      .part = Part::kProgram,
      .name = "program",
      .title = "a program",
      .doc = "A program, where netrig does not know which package has it.",
      .keys = {{.name = "program",
                .forms = {text()},
                .doc = "its name; searched for in PATH, and in /usr/local/sbin, /usr/sbin, /sbin",
                .example = "\"named\"",
                .required = true},
               {.name = "package",
                .forms = {text()},
                .doc = "the Debian package that has it",
                .example = "\"bind9\""}}};
}

ObjectFormat expected_failure() {
  return {.part = Part::kExpectedFailure,
          .name = "expected_failure",
          .title = "an expected failure",
          .doc = "Why it fails, and where.",
          .keys = {{.name = "reason", .forms = {text()}, .doc = "why", .required = true},
                   {.name = "backends",
                    .forms = {list_of({choice({"fake", "real", "wire"})}, 1)},
                    .doc = "only on these",
                    .example = "[\"real\"]",
                    .fallback = "on all"},
                   {.name = "row",
                    .forms = {object(Part::kMatrixRow)},
                    .doc = "only in rows of the matrix with these values",
                    .example = "{ \"transport\": \"unix\" }",
                    .fallback = "in all rows"}}};
}

ObjectFormat taken_environment() {
  return {.part = Part::kTakenEnvironment,
          .name = "taken_environment",
          .title = "the environment",
          .doc =
              "Environment variables of netrig that the file takes, no others. Their values stand "
              "in reports, so names that look like those of secrets are mistakes. "
              "`--set env.NAME=value` replaces one, and is part of the command that repeats a run.",
          .keys = {{.name = "VARIABLE",
                    .forms = {yes(), text(0)},
                    .doc = "its value if it is not set; `true`: it must be set",
                    .example = "\"6379\"",
                    .pattern = KeyPattern::kVariable}},
          .at_least_one = true};
}

ObjectFormat matrix() {
  return {.part = Part::kMatrix,
          .name = "matrix",
          .title = "a matrix",
          .doc =
              "Every combination of the values is a run of its own, with `${name}` as with `vars`; "
              "at most 10000. `--set name=value` leaves only the runs with that value. A list of "
              "rows in its place has no other combinations than those.",
          .keys = {{.name = "exclude",
                    .forms = {list_of({object(Part::kMatrixRow)}, 1)},
                    .doc = "combinations to leave out; what is not named may have any value",
                    .example = R"([{ "transport": "unix", "loss": "5%" }])"},
                   {.name = "VARIABLE",
                    .forms = {list_of(scalar(), 1)},
                    .doc = "its values",
                    .example = R"(["tcp", "unix"])",
                    .pattern = KeyPattern::kVariable}},
          .at_least_one = true};
}

ObjectFormat matrix_row() {
  return {.part = Part::kMatrixRow,
          .name = "matrix_row",
          .title = "a row of a matrix",
          .doc = "Variables, each with one value.",
          .keys = {{.name = "VARIABLE",
                    .forms = scalar(),
                    .doc = "its value",
                    .example = "\"unix\"",
                    .pattern = KeyPattern::kVariable}},
          .at_least_one = true};
}

ObjectFormat parts() {
  return {.part = Part::kParts,
          .name = "parts",
          .title = "the parts",
          .doc =
              "Steps for several places, by name. A file may have parts alone, for others; call it "
              "`NAME.parts.json`, so that nobody takes it for a scenario.",
          .keys = {{.name = "NAME",
                    .forms = {object(Part::kPart)},
                    .doc = "a part",
                    .pattern = KeyPattern::kName}},
          .at_least_one = true};
}

ObjectFormat part() {
  return {
      .part = Part::kPart,
      .name = "part",
      .title = "a part",
      .doc =
          "Its steps stand where `use` is, as if they were written there: what they save is saved, "
          "and step numbers count them. `${name}` of a parameter is replaced in all of their text.",
      .keys = {{.name = "about", .forms = {text(0)}, .doc = "for readers"},
               {.name = "parameters",
                .forms = {list_of({plain(Kind::kVariableName)})},
                .doc = "names that every `use` gives a value",
                .example = "[\"user\"]"},
               {.name = "defaults",
                .forms = {object(Part::kArguments)},
                .doc = "more parameters, with the values that they have if `use` gives none",
                .example = R"({ "answer": "+OK\r\n" })"},
               {.name = "steps", .forms = {steps()}, .doc = "the steps", .required = true}}};
}

ObjectFormat arguments() {
  return {.part = Part::kArguments,
          .name = "arguments",
          .title = "values for parameters",
          .doc = "Text, numbers, or whole payloads and matchers.",
          .keys = {{.name = "VARIABLE",
                    .forms = {any_value()},
                    .doc = "its value",
                    .example = R"({ "line": "250 .*" })",
                    .pattern = KeyPattern::kVariable}}};
}

}  // namespace netrig::format_parts
