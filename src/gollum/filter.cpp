#include "gollum/filter.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace gollum {

namespace {

// Code points of the text, without regard to case and to how accents were typed.
std::u32string folded(std::string_view text) {
  const std::string valid = base::repair_utf8(text);
  utf8proc_uint8_t* raw = nullptr;
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(valid.data());
  const utf8proc_ssize_t size =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(valid.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, std::free);
  if (size < 0) throw base::Error(base::exit_our_bug, utf8proc_errmsg(size));
  const std::string_view mapped(reinterpret_cast<const char*>(raw), static_cast<size_t>(size));
  std::u32string code_points;
  for (size_t at = 0; at < mapped.size();) code_points += base::next_code_point(mapped, at);
  return code_points;
}

// Greedy with one step back: on a mismatch the last * takes one more character.
bool matches_folded(const std::u32string& pattern, const std::u32string& text) {
  size_t p = 0;
  size_t star = std::u32string::npos;
  size_t star_text = 0;
  for (size_t t = 0; t < text.size();) {
    if (p < pattern.size() && pattern[p] == U'*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == U'?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::u32string::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == U'*') ++p;
  return p == pattern.size();
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& text) {
  for (const std::string& pattern : patterns) {
    if (matches(pattern, text)) return true;
  }
  return false;
}

bool matches_page(const std::vector<std::string>& patterns, const Change& change) {
  return matches_any(patterns, change.page.title) || matches_any(patterns, change.page.page_name) ||
         (!change.old_name.empty() && matches_any(patterns, change.old_name));
}

bool is_one_of(const std::vector<std::string>& texts, const std::string& text) {
  for (const std::string& candidate : texts) {
    if (folded(candidate) == folded(text)) return true;
  }
  return false;
}

bool passes(const Change& change, const Filters& filters) {
  if (!filters.titles.empty() && !is_one_of(filters.titles, change.page.title)) return false;
  if (!filters.pages.empty() && !matches_page(filters.pages, change)) return false;
  if (matches_page(filters.ignore_pages, change)) return false;
  return filters.actions.empty() || is_one_of(filters.actions, change.page.action);
}

Digest& digest_for(std::vector<ChannelDigest>& digests, const std::string& channel,
                   const Digest& whole) {
  for (ChannelDigest& entry : digests) {
    if (entry.channel == channel) return entry.digest;
  }
  digests.push_back({channel, {whole.repository, whole.sender, {}}});
  return digests.back().digest;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  return matches_folded(folded(pattern), folded(text));
}

Digest filtered(const Digest& digest, const Filters& filters) {
  Digest kept{digest.repository, digest.sender, {}};
  if (matches_any(filters.ignore_authors, digest.sender.login)) return kept;
  for (const Change& change : digest.changes) {
    if (passes(change, filters)) kept.changes.push_back(change);
  }
  return kept;
}

Route read_route(const std::string& text) {
  const size_t equals = text.rfind('=');
  Route route;
  if (equals != std::string::npos) {
    route = {base::trim(text.substr(0, equals)), base::trim(text.substr(equals + 1))};
  }
  if (route.pattern.empty() || route.channel.empty()) {
    throw base::Error(
        base::exit_usage,
        fmt::format("--route '{}' is no PATTERN=CHANNEL, for example 'runbooks/*=#ops'",
                    base::one_line(text)));
  }
  return route;
}

std::vector<ChannelDigest> routed(const Digest& digest, const std::vector<Route>& routes,
                                  const std::vector<std::string>& other_channels) {
  std::vector<ChannelDigest> digests;
  for (const Change& change : digest.changes) {
    std::vector<std::string> channels = other_channels;
    for (const Route& route : routes) {
      if (matches_page({route.pattern}, change)) {
        channels = {route.channel};
        break;
      }
    }
    for (const std::string& channel : channels) {
      digest_for(digests, channel, digest).changes.push_back(change);
    }
  }
  return digests;
}

std::string utf8proc_version_text() {
  return utf8proc_version();
}

}  // namespace gollum
