// Which changes are told, and to whom. Names are compared without regard to case, by Unicode's
// rules; in a pattern * stands for any run of characters and ? for one.
#pragma once

#include <string>
#include <vector>

#include "gollum/digest.hpp"

namespace gollum {

// Empty lists let everything through.
struct Filters {
  std::vector<std::string> pages;           // patterns over title and page_name
  std::vector<std::string> ignore_pages;    // patterns
  std::vector<std::string> titles;          // exact titles
  std::vector<std::string> actions;         // created, edited, deleted, renamed
  std::vector<std::string> ignore_authors;  // patterns over the login
};

struct Route {
  std::string pattern;  // over title and page_name
  std::string channel;
};

struct ChannelDigest {
  std::string channel;
  Digest digest;
};

// The digest without the changes that a filter holds back.
Digest filtered(const Digest& digest, const Filters& filters);

// "PATTERN=CHANNEL". Throws 64.
Route read_route(const std::string& text);

// The digest without the pages that no route fits.
Digest with_route(const Digest& digest, const std::vector<Route>& routes);

// One digest a channel, in the order the channels first get a page. A page goes to the channel of
// the first route that fits, else to each of other_channels; with none of those it is left out.
std::vector<ChannelDigest> routed(const Digest& digest, const std::vector<Route>& routes,
                                  const std::vector<std::string>& other_channels);

// The version of the Unicode library behind it.
std::string utf8proc_version_text();

}  // namespace gollum
