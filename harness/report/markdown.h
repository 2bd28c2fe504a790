#pragma once
// Results as Markdown for the page of a CI job (GitHub's $GITHUB_STEP_SUMMARY, a merge request's
// comment): the totals, then tables of what failed, was flaky, could not run, by reason. What
// scenarios and peers say is text there, never markup. It keeps a line for what it shows, and shows
// so much at most that GitHub, which refuses a page past 1 MiB, takes it.

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "harness/report/reporter.h"

namespace netrig {

inline constexpr size_t kMarkdownOctetsMax = 900 * 1024;
// Longer messages are cut in the table; result.json has them whole.
inline constexpr size_t kMarkdownMessageMax = 500;

// The file is opened at once: what cannot be written is told before the first run.
std::expected<std::unique_ptr<Reporter>, std::string> open_markdown_reporter(
    const std::string& path);

// `text` as the words of a table's cell (GitHub Flavored Markdown 0.29 sections 4.10, 6.1): no
// character of it is markup, and a new line becomes <br>.
std::string markdown_cell(std::string_view text);

// `text` as a code span in a table's cell (sections 4.10, 6.3).
std::string markdown_code(std::string_view text);

}  // namespace netrig
