// Long text in parts that Slack takes whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace slack {

// What must not be torn apart. plain: &amp; and the like, as every text for Slack has them. mrkdwn:
// also <links> and ``` fences. markdown: the same with fences as lines of ``` or ~~~.
enum class Markup { plain, mrkdwn, markdown };

// The text in parts of at most most_units UTF-16 units (200 at least), cut behind a line break,
// else behind a space, else wherever it may be. Nothing is lost: the parts put together are the
// text, but for line breaks where a cut is, and for fences, which are closed at the end of a part
// and opened again in the next. Parts without anything to see are left out.
std::vector<std::string> split(const std::string& text, size_t most_units, Markup markup);

}  // namespace slack
