#include "gollum/event.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace gollum {

namespace {

std::string needed(const json::Value& object, const char* name, const std::string& place) {
  const json::Value* member = json::find(object, name);
  const std::string* text = json::as_string(member);
  if (text != nullptr) return *text;
  throw base::Error(base::exit_bad_input,
                    fmt::format("the event's {}.{} is {}; a wiki event has text there", place, name,
                                member == nullptr ? "missing" : "no text"));
}

Page read_page(const json::Value& object, const std::string& place) {
  if (json::as_object(&object) == nullptr) {
    throw base::Error(base::exit_bad_input, fmt::format("the event's {} is no object", place));
  }
  Page page;
  page.title = needed(object, "title", place);
  page.action = needed(object, "action", place);
  page.html_url = needed(object, "html_url", place);
  page.page_name = json::string_at(object, "page_name");
  page.summary = json::string_at(object, "summary");
  page.sha = json::string_at(object, "sha");
  if (page.page_name.empty()) page.page_name = page.title;
  return page;
}

}  // namespace

bool is_wiki_event(const json::Value& document) {
  return !json::is_null(json::find(document, "pages"));
}

Event read_event(const json::Value& document) {
  const json::Array* pages = json::as_array(json::find(document, "pages"));
  if (pages == nullptr) {
    throw base::Error(base::exit_bad_input,
                      "this is no wiki event (gollum): it has no list of pages");
  }
  Event event;
  for (size_t i = 0; i < pages->size(); ++i) {
    event.pages.push_back(read_page((*pages)[i], fmt::format("pages[{}]", i)));
  }
  const json::Value nothing;
  const json::Value* repository = json::find(document, "repository");
  event.repository.full_name =
      needed(repository == nullptr ? nothing : *repository, "full_name", "repository");
  event.repository.html_url =
      needed(repository == nullptr ? nothing : *repository, "html_url", "repository");
  const json::Value* sender = json::find(document, "sender");
  if (sender != nullptr) {
    event.sender = {json::string_at(*sender, "login"), json::string_at(*sender, "html_url")};
  }
  return event;
}

}  // namespace gollum
