// GitHub's wiki event ("gollum"): which pages were created or edited, by whom, where.
// Source: docs.github.com "Webhook events and payloads", octokit's schema.
#pragma once

#include <string>
#include <vector>

#include "json/value.hpp"

namespace gollum {

struct Page {
  std::string page_name;  // as in the address: "Test-Page"
  std::string title;      // as people see it: "Test Page"
  std::string summary;    // the edit's; "" when there is none
  std::string action;     // "created" or "edited"; from a diff also "deleted", "renamed"
  std::string sha;        // of the wiki's commit; "" when unknown
  std::string html_url;   // "" for a deleted page
};

struct Person {
  std::string login;
  std::string html_url;  // "" when unknown
};

struct Repository {
  std::string full_name;  // "owner/name"
  std::string html_url;
};

struct Event {
  std::vector<Page> pages;
  Repository repository;
  Person sender;  // login "" when the event names nobody
};

// True when the document has the list of pages that makes it a wiki event.
bool is_wiki_event(const json::Value& document);

// Throws 65, naming the place in the document ("pages[3].title is missing").
Event read_event(const json::Value& document);

}  // namespace gollum
