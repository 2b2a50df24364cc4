#include "slack/split.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace slack {

namespace {

constexpr size_t kLongestEscape = 10;   // bytes
constexpr size_t kLongestOpening = 60;  // units of a fence's line that is repeated

// A fence that is open: how it is opened again, and how it is closed.
struct Fence {
  std::string opening;  // "```c"; "" when none is open
  std::string closing;  // "```"
};

// Bytes of what must stay whole at the start of the text: a code point, an escape, a <reference>, a
// run of backticks. A reference longer than most_units is cut like any text, a run in pieces.
size_t atom_length(std::string_view text, size_t most_units, Markup markup) {
  size_t end = 0;
  base::next_code_point(text, end);
  const char first = text.front();
  if (first == '&') {
    const size_t close = text.substr(0, kLongestEscape).find(';');
    const bool is_escape = close != std::string_view::npos &&
                           text.substr(0, close).find(' ') == std::string_view::npos;
    return is_escape ? close + 1 : end;
  }
  if (markup == Markup::plain) return end;
  if (first == '`' || first == '~') {
    const size_t looked_at = std::min(text.size(), most_units);
    return std::min(text.substr(0, looked_at).find_first_not_of(first), looked_at);
  }
  if (first != '<') return end;
  const size_t close = text.substr(0, 4 * most_units).find('>');
  const bool is_reference = close != std::string_view::npos &&
                            text.substr(0, close).find('\n') == std::string_view::npos &&
                            base::utf16_length(text.substr(0, close + 1)) <= most_units;
  return is_reference ? close + 1 : end;
}

// Bytes of the longest start of the text that has at most most_units and ends where it may be cut.
size_t cut_behind(std::string_view text, size_t most_units, Markup markup) {
  size_t at = 0;
  size_t units = 0;
  size_t line_end = 0;
  size_t word_end = 0;
  while (at < text.size()) {
    const size_t bytes = atom_length(text.substr(at), most_units, markup);
    units += base::utf16_length(text.substr(at, bytes));
    if (units > most_units) break;
    at += bytes;
    if (text[at - 1] == '\n') line_end = at;
    if (text[at - 1] == ' ') word_end = at;
  }
  if (line_end > 0) return line_end;
  return word_end > 0 ? word_end : at;
}

// mrkdwn knows fences anywhere: every ``` opens or closes one.
Fence mrkdwn_fence(Fence fence, std::string_view part) {
  for (size_t at = part.find("```"); at != std::string_view::npos; at = part.find("```", at + 3)) {
    fence = fence.opening.empty() ? Fence{"```", "```"} : Fence{};
  }
  return fence;
}

// Markdown knows them as lines: three or more of ` or ~, closed by at least as many of the same.
Fence markdown_fence(Fence fence, std::string_view part) {
  for (const std::string& line : base::split(part, '\n')) {
    const std::string text = base::trim(line);
    const bool is_mark = text.starts_with("```") || text.starts_with("~~~");
    if (!is_mark) continue;
    const size_t run = text.find_first_not_of(text.front());
    const std::string mark = text.substr(0, run);
    if (fence.opening.empty()) {
      const bool is_short = base::utf16_length(text) <= kLongestOpening;
      fence = {is_short ? text : std::string(3, text.front()), is_short ? mark : mark.substr(0, 3)};
    } else if (run == std::string::npos && mark.starts_with(fence.closing)) {
      fence = {};
    }
  }
  return fence;
}

Fence fence_behind(const Fence& before, std::string_view part, Markup markup) {
  if (markup == Markup::mrkdwn) return mrkdwn_fence(before, part);
  return markup == Markup::markdown ? markdown_fence(before, part) : Fence{};
}

// Asked for every part, so it must not count a long rest: a unit is at most three bytes.
bool fits(std::string_view text, size_t most_units) {
  return text.size() <= 3 * most_units && base::utf16_length(text) <= most_units;
}

std::string without_last_break(std::string_view part) {
  return std::string(part.ends_with('\n') ? part.substr(0, part.size() - 1) : part);
}

bool shows_something(std::string_view part) {
  return part.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

}  // namespace

std::vector<std::string> split(const std::string& text, size_t most_units, Markup markup) {
  std::vector<std::string> parts;
  std::string_view rest = text;
  Fence fence;
  while (!rest.empty()) {
    const std::string opening = fence.opening.empty() ? "" : fence.opening + "\n";
    const size_t used = base::utf16_length(opening);
    if (fits(rest, most_units - used)) {
      if (shows_something(rest)) parts.push_back(opening + std::string(rest));
      break;
    }
    // Room for the line that closes a fence, which may be one that opens inside of this part.
    const size_t room = most_units - used - (markup == Markup::plain ? 0 : kLongestOpening + 1);
    const std::string_view part = rest.substr(0, cut_behind(rest, room, markup));
    rest.remove_prefix(part.size());
    fence = fence_behind(fence, part, markup);
    std::string whole = opening + without_last_break(part);
    if (!fence.closing.empty()) whole += "\n" + fence.closing;
    if (shows_something(part)) parts.push_back(std::move(whole));
  }
  return parts;
}

}  // namespace slack
