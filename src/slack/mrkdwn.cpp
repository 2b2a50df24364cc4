#include "slack/mrkdwn.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/url.hpp"

namespace slack {

namespace {

constexpr size_t kLongestUrl = 1'500;

std::string escape_entities(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// The text without a terminal's escape sequences, ESC [ … letter.
std::string without_colours(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const size_t start = text.find("\x1b[");
    kept += text.substr(0, start);
    if (start == std::string_view::npos) break;
    const size_t end = text.find_first_not_of("0123456789;:?", start + 2);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return kept;
}

// @word becomes a text that only looks like it: a word joiner (U+2060) stands behind the @.
std::string without_name(const std::string& text, std::string_view word) {
  const std::string lower = base::lower_ascii(text);
  std::string changed;
  size_t done = 0;
  for (size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
    changed += text.substr(done, at + 1 - done) + "\xE2\x81\xA0";
    done = at + 1;
  }
  return changed + text.substr(done);
}

// A URL inside <…|…>: what would end it early is percent-encoded; nothing for what is no web link.
std::string safe_url(std::string_view url) {
  if (net::origin(url).empty()) return "";
  std::string safe;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unsafe = byte <= ' ' || byte == 0x7F || c == '<' || c == '>' || c == '|' || c == '`';
    safe += unsafe ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  safe = base::replace_all(base::repair_utf8(safe), "&", "&amp;");
  return safe.size() > kLongestUrl ? "" : safe;
}

// <…> without its brackets, as a person sees it.
std::string shown_reference(std::string_view inside) {
  const size_t bar = inside.find('|');
  const bool is_name =
      inside.starts_with('@') || inside.starts_with('#') || inside.starts_with('!');
  if (bar != std::string_view::npos) inside.remove_prefix(bar + 1);
  if (is_name && bar == std::string_view::npos) inside.remove_prefix(1);
  return (is_name ? "@" : "") + std::string(inside);
}

}  // namespace

std::string escape(std::string_view text) {
  return base::replace_all(escape_entities(base::one_line(text)), "`", "ˋ");
}

std::string escape_lines(std::string_view text) {
  std::vector<std::string> lines = base::split(base::replace_all(text, "\r\n", "\n"), '\n');
  for (std::string& line : lines) line = escape(line);
  return base::join(lines, "\n");
}

std::string escape_plain(std::string_view text) {
  std::string kept;
  const std::string bare = without_colours(text);
  for (size_t at = 0; at < bare.size();) {
    char32_t code_point = base::next_code_point(bare, at);
    if (code_point == '\r' && bare.substr(at, 1) == "\n") continue;
    if (code_point == '\r') code_point = '\n';  // a progress bar writes over its line
    const bool is_layout = code_point == '\n' || code_point == '\t';
    if (is_layout || !base::is_unsafe_to_show(code_point)) {
      base::append_code_point(kept, code_point);
    }
  }
  return escape_entities(kept);
}

std::string without_broadcasts(std::string_view text, bool names) {
  std::string safe;
  for (size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    const bool calls = rest.starts_with("<!") && !rest.starts_with("<!date^");
    safe += calls ? "&lt;" : std::string(1, text[at]);
  }
  if (!names) return safe;
  for (const char* word : {"@channel", "@here", "@everyone", "@group"}) {
    safe = without_name(safe, word);
  }
  return safe;
}

std::string link(std::string_view url, std::string_view label) {
  const std::string text = base::replace_all(escape(label), "|", "¦");
  const std::string target = safe_url(url);
  return target.empty() || text.empty() ? text : fmt::format("<{}|{}>", target, text);
}

std::string plain_text(std::string_view mrkdwn) {
  std::string text;
  while (!mrkdwn.empty()) {
    const size_t open = mrkdwn.find('<');
    text += mrkdwn.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = mrkdwn.find('>', open);
    if (close == std::string_view::npos) {
      text += mrkdwn.substr(open);
      break;
    }
    text += shown_reference(mrkdwn.substr(open + 1, close - open - 1));
    mrkdwn.remove_prefix(close + 1);
  }
  text = base::replace_all(text, "&lt;", "<");
  text = base::replace_all(text, "&gt;", ">");
  return base::replace_all(text, "&amp;", "&");
}

}  // namespace slack
