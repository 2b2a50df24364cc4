// The digest as GitHub Markdown, for the job summary.
#pragma once

#include <string>

#include "gollum/digest.hpp"

namespace gollum {

// A heading and a table of the pages, as many rows as fit 900 kB (GitHub refuses a summary
// over 1 MiB). Text of the event is escaped: it makes no markup, no HTML and no further cells.
std::string summary_markdown(const Digest& digest, const std::string& outcome);

}  // namespace gollum
