#include "base/text.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace base {

namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

// How many letters must be typed, deleted, changed or swapped with a neighbour.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({changed, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return "";
  const size_t last = text.find_last_not_of(kWhiteSpace);
  return std::string(text.substr(first, last - first + 1));
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string& line : split(text, '\n')) {
    for (const std::string& part : split(line, ',')) {
      std::string item = trim(part);
      if (!item.empty()) items.push_back(std::move(item));
    }
  }
  return items;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

bool read_duration_ms(std::string_view text, int64_t& ms) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr Unit units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"", 1e3}};
  constexpr double longest_ms = 86'400'000;
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    double value = 0;
    const bool is_number = read_number(text.substr(0, text.size() - unit.name.size()), value);
    if (!is_number || !(value >= 0) || value * unit.ms > longest_ms) return false;
    ms = static_cast<int64_t>(value * unit.ms);
    return true;
  }
  return false;
}

std::string duration(int64_t ms) {
  return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + " s" : std::to_string(ms) + " ms";
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string wrap(std::string_view text, size_t indent, size_t width) {
  const std::string new_line = "\n" + std::string(indent, ' ');
  const std::vector<std::string> lines = split(text, '\n');
  std::string wrapped;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) wrapped += new_line;
    size_t column = indent;
    for (const std::string& word : split(lines[i], ' ')) {
      const size_t word_width = utf16_length(word);
      if (column > indent && column + 1 + word_width > width) {
        wrapped += new_line;
        column = indent;
      }
      if (column > indent) wrapped += ' ';
      column += word_width + (column > indent ? 1 : 0);
      wrapped += word;
    }
  }
  return wrapped;
}

}  // namespace base
