#include "gollum/message.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace gollum {

namespace {

// In UTF-16 units, before escaping.
constexpr size_t kMaxTitle = 150;
constexpr size_t kMaxAction = 30;
constexpr size_t kMaxSummary = 400;
constexpr size_t kMaxExcerptLine = 120;
constexpr size_t kMaxMore = 30;  // " and 5000 more"

bool fits(const std::string& section, const std::string& text) {
  return base::utf16_length(section) + base::utf16_length(text) <= slack::kMaxSectionText;
}

std::string short_name(const std::string& name) {
  return base::shorten(name, kMaxTitle);
}

// "o/r wiki: 3 pages changed by mira"; with links, unless their addresses are too long for a block.
std::string head(const Digest& digest, const MessageOptions& options, bool linked) {
  const std::string wiki = linked ? wiki_url(digest.repository) : "";
  const std::string person = linked ? digest.sender.html_url : "";
  std::string by = options.sender_mention;
  if (by.empty()) by = slack::link(person, short_name(digest.sender.login));
  std::string text =
      fmt::format("{} wiki: {} changed", slack::link(wiki, short_name(digest.repository.full_name)),
                  page_count(digest.changes.size()));
  if (!by.empty()) text += " by " + by;
  return !linked || fits(text, "") ? text : head(digest, options, false);
}

std::string title(const Page& page) {
  const std::string text = base::shorten(base::one_line(page.title), kMaxTitle);
  return text.find_first_not_of(' ') == std::string::npos ? "(no title)" : text;
}

std::string what_happened(const Page& page) {
  return slack::escape(base::shorten(page.action, kMaxAction));
}

// " from Old" behind "renamed", ", renamed from Old" behind "edited".
std::string rename(const Change& change) {
  const std::string old_name = slack::escape(base::shorten(change.old_name, kMaxTitle));
  return (change.page.action == "renamed" ? " from " : ", renamed from ") + old_name;
}

void add(std::string& section, const std::string& text) {
  if (fits(section, text)) section += text;
}

// As many lines as fit, between fences; nothing when not even the first does.
void add_excerpt(std::string& section, const std::vector<std::string>& excerpt) {
  const std::string fence = "\n```";
  std::string code = fence;
  for (const std::string& line : excerpt) {
    const std::string next =
        fmt::format("\n{}", slack::escape(base::shorten(line, kMaxExcerptLine)));
    if (!fits(section, fmt::format("{}{}{}", code, next, fence))) break;
    code += next;
  }
  if (code != fence) section += code + fence;
}

std::string change_section(const Change& change) {
  const Page& page = change.page;
  std::string section =
      fmt::format("*{}* {}", slack::link(page.html_url, title(page)), what_happened(page));
  if (!change.old_name.empty()) add(section, rename(change));
  if (has_counts(change)) add(section, fmt::format(" +{}/-{}", change.added, change.removed));
  if (!diff_url(page).empty()) add(section, " · " + slack::link(diff_url(page), "diff"));
  if (!history_url(page).empty()) add(section, " · " + slack::link(history_url(page), "history"));
  const std::string summary = base::shorten(base::one_line(page.summary), kMaxSummary);
  if (!summary.empty()) add(section, "\n> " + slack::escape(summary));
  add_excerpt(section, change.excerpt);
  return section;
}

// For the notification, and for where blocks are not shown: the same news in one line.
std::string fallback(const Digest& digest, const MessageOptions& options) {
  std::string text = options.text_prefix.empty() ? "" : options.text_prefix + "\n";
  text += head(digest, options, false);
  const char* separator = ": ";
  size_t told = 0;
  for (const Change& change : digest.changes) {
    const std::string item = fmt::format("{}{} ({})", separator, slack::escape(title(change.page)),
                                         what_happened(change.page));
    if (base::utf16_length(text) + base::utf16_length(item) + kMaxMore > slack::kMaxText) break;
    text += item;
    separator = ", ";
    ++told;
  }
  if (told < digest.changes.size())
    text += fmt::format(" and {} more", digest.changes.size() - told);
  return text;
}

std::string more(const Digest& digest, size_t told) {
  const std::string history = slack::link(wiki_history_url(digest.repository), "wiki history");
  return fmt::format("and {} more: {}", digest.changes.size() - told, history);
}

}  // namespace

slack::Message make_message(const Digest& digest, const MessageOptions& options) {
  using Kind = slack::Block::Kind;
  slack::Message message;
  message.text = fallback(digest, options);
  if (!options.text_prefix.empty()) message.blocks.push_back({Kind::section, options.text_prefix});
  message.blocks.push_back({Kind::section, head(digest, options, true)});
  const std::string longest_more = more(digest, 0);
  size_t units = base::utf16_length(longest_more);
  for (const slack::Block& block : message.blocks) units += base::utf16_length(block.text);
  size_t told = 0;
  for (const Change& change : digest.changes) {
    const std::string section = change_section(change);
    units += base::utf16_length(section);
    const bool has_room =
        units <= slack::kMaxTextOfAllBlocks && message.blocks.size() + 1 < slack::kMaxBlocks;
    if (!has_room) break;
    message.blocks.push_back({Kind::section, section});
    ++told;
  }
  if (told < digest.changes.size()) message.blocks.push_back({Kind::context, more(digest, told)});
  return message;
}

}  // namespace gollum
