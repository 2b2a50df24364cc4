// GitHub's wiki event: digest, message and summary are made of it, with a diff of its own pages.
#include "fuzz_gollum.hpp"
#include "gollum/event.hpp"
#include "json/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Kind = gollum::FileDiff::Kind;
  constexpr Kind kinds[] = {Kind::edited, Kind::renamed, Kind::deleted, Kind::created};
  const auto document = json::try_parse(fuzz::text_of(data, size));
  if (!document) return 0;
  gollum::Event event;
  const bool is_read = fuzz::takes([&] { event = gollum::read_event(*document); });
  fuzz::expect(!is_read || gollum::is_wiki_event(*document), "what is read is a wiki event");
  if (!is_read) return 0;
  std::vector<gollum::FileDiff> diff;
  for (const gollum::Page& page : event.pages) {
    const std::string path = page.page_name + ".md";
    diff.push_back({path, page.title + ".md", kinds[diff.size() % 4], 3, 1, {"+" + page.summary}});
  }
  fuzz::expect_good_digest(gollum::make_digest(event, {}, 4));
  fuzz::expect_good_digest(gollum::make_digest(event, diff, 4));
  return 0;
}
