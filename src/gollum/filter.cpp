#include "gollum/filter.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
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

using Folded = std::vector<std::u32string>;

Folded all_folded(const std::vector<std::string>& texts) {
  Folded folded_texts;
  for (const std::string& text : texts) folded_texts.push_back(folded(text));
  return folded_texts;
}

// The names by which a page is found.
Folded names_of(const Change& change) {
  Folded names = {folded(change.page.title), folded(change.page.page_name)};
  if (!change.old_name.empty()) names.push_back(folded(change.old_name));
  return names;
}

bool match_any(const Folded& patterns, const Folded& names) {
  for (const std::u32string& pattern : patterns) {
    for (const std::u32string& name : names) {
      if (matches_folded(pattern, name)) return true;
    }
  }
  return false;
}

bool contains(const Folded& texts, const std::u32string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// Filters made ready once for all pages.
struct Sieve {
  Folded pages, ignore_pages, titles, actions;

  bool passes(const Change& change) const {
    const Folded names = names_of(change);
    if (!titles.empty() && !contains(titles, names.front())) return false;
    if (!pages.empty() && !match_any(pages, names)) return false;
    if (match_any(ignore_pages, names)) return false;
    const bool renamed = !change.old_name.empty() && contains(actions, U"renamed");
    return actions.empty() || renamed || contains(actions, folded(change.page.action));
  }
};

// The channel of the first route that fits; "" when none does.
std::string channel_of(const Change& change, const std::vector<Route>& routes) {
  const Folded names = names_of(change);
  for (const Route& route : routes) {
    if (match_any({folded(route.pattern)}, names)) return route.channel;
  }
  return "";
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

Digest filtered(const Digest& digest, const Filters& filters) {
  Digest kept{digest.repository, digest.sender, {}};
  if (match_any(all_folded(filters.ignore_authors), {folded(digest.sender.login)})) return kept;
  const Sieve sieve{all_folded(filters.pages), all_folded(filters.ignore_pages),
                    all_folded(filters.titles), all_folded(filters.actions)};
  for (const Change& change : digest.changes) {
    if (sieve.passes(change)) kept.changes.push_back(change);
  }
  return kept;
}

Route read_route(const std::string& text) {
  const size_t equals = text.rfind('=');
  Route route;
  if (equals != std::string::npos) {
    route = {base::trim(text.substr(0, equals)), base::trim(text.substr(equals + 1))};
  }
  const bool one_channel = !route.channel.empty() && route.channel.find(',') == std::string::npos;
  if (route.pattern.empty() || !one_channel) {
    throw base::Error(base::exit_usage,
                      fmt::format("--route '{}' is no PATTERN=CHANNEL, for example 'runbook*=#ops'",
                                  base::one_line(text)));
  }
  return route;
}

Digest with_route(const Digest& digest, const std::vector<Route>& routes) {
  Digest kept{digest.repository, digest.sender, {}};
  for (const Change& change : digest.changes) {
    if (!channel_of(change, routes).empty()) kept.changes.push_back(change);
  }
  return kept;
}

std::vector<ChannelDigest> routed(const Digest& digest, const std::vector<Route>& routes,
                                  const std::vector<std::string>& other_channels) {
  std::vector<ChannelDigest> digests;
  for (const Change& change : digest.changes) {
    const std::string channel = channel_of(change, routes);
    const std::vector<std::string> one = {channel};
    for (const std::string& to : channel.empty() ? other_channels : one) {
      digest_for(digests, to, digest).changes.push_back(change);
    }
  }
  return digests;
}

std::string utf8proc_version_text() {
  return utf8proc_version();
}

}  // namespace gollum
