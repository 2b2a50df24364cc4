#include "gollum/summary.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "net/url.hpp"

namespace gollum {

namespace {

constexpr size_t kMaxBytes = 900'000;
constexpr size_t kMaxCell = 200;  // UTF-16 units, before escaping

// Every ASCII character that means something to Markdown or HTML, as an entity.
std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : base::shorten(base::one_line(text), kMaxCell)) {
    const bool special =
        std::string_view("\\`*_{}[]()<>#+-.!|~&@:\"'").find(c) != std::string_view::npos;
    escaped += special ? fmt::format("&#{};", static_cast<int>(c)) : std::string(1, c);
  }
  return escaped;
}

std::string link(const std::string& url, const std::string& label) {
  if (!net::is_http_url(url) || url.size() > 2 * kMaxCell) return escape(label);
  std::string target;
  for (const char c : url) {
    const bool special = std::string_view("()<>|\\`\"").find(c) != std::string_view::npos;
    target += special ? net::percent_encode(std::string_view(&c, 1)) : std::string(1, c);
  }
  return fmt::format("[{}]({})", escape(label), target);
}

std::string row(const Change& change) {
  std::string what = escape(change.page.action);
  if (!change.old_name.empty()) what += " from " + escape(change.old_name);
  const std::string counts =
      has_counts(change) ? fmt::format("+{}/-{}", change.added, change.removed) : "";
  const std::string diff = diff_url(change.page).empty() ? "" : link(diff_url(change.page), "diff");
  return fmt::format("| {} | {} | {} | {} | {} |\n", link(change.page.html_url, change.page.title),
                     what, counts, escape(change.page.summary), diff);
}

}  // namespace

std::string summary_markdown(const Digest& digest, const std::string& outcome) {
  std::string text = fmt::format("### Wiki of {}: {} changed", escape(digest.repository.full_name),
                                 page_count(digest.changes.size()));
  if (!digest.sender.login.empty()) text += " by " + escape(digest.sender.login);
  text += fmt::format("\n\n{}\n\n", escape(outcome));
  if (digest.changes.empty()) return text;
  text += "| Page | What | Lines | Summary | |\n|---|---|---|---|---|\n";
  size_t rows = 0;
  for (const Change& change : digest.changes) {
    if (text.size() > kMaxBytes) break;
    text += row(change);
    ++rows;
  }
  if (rows < digest.changes.size())
    text += fmt::format("\nand {} more\n", digest.changes.size() - rows);
  return text;
}

}  // namespace gollum
