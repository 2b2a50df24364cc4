#include "gollum/digest.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "base/text.hpp"
#include "json/write.hpp"
#include "net/url.hpp"

namespace gollum {

namespace {

using ChangeByName = std::unordered_map<std::string, size_t>;  // page name -> index of its change

std::string title_of(const std::string& page_name) {
  return base::replace_all(page_name, "-", " ");
}

// GitHub's page names have "-" where a file pushed by git may have a space.
std::string key_of(const std::string& page_name) {
  return base::replace_all(page_name, " ", "-");
}

// A page the event does not know, told from the diff as renamed; add_file makes a deleted one of
// it.
Change change_from_diff(const std::string& name, const Repository& repository) {
  Change change;
  change.page.page_name = name;
  change.page.title = title_of(name);
  change.page.action = "renamed";
  change.page.html_url = wiki_url(repository) + "/" + net::percent_encode(name);
  return change;
}

void add_file(Change& change, const FileDiff& file, size_t excerpt_lines) {
  change.has_diff = true;
  change.added += file.added;
  change.removed += file.removed;
  if (file.kind == FileDiff::Kind::renamed) change.old_name = title_of(page_name_of(file.old_path));
  if (file.kind == FileDiff::Kind::deleted) {  // though the event may have told of an edit before
    change.page.action = "deleted";
    change.page.html_url.clear();
  }
  for (const std::string& line : file.changed_lines) {
    if (change.excerpt.size() < excerpt_lines) change.excerpt.push_back(line);
  }
}

json::Object to_json(const Change& change) {
  json::Object object{{"page_name", change.page.page_name},
                      {"title", change.page.title},
                      {"action", change.page.action},
                      {"summary", change.page.summary},
                      {"sha", change.page.sha},
                      {"html_url", change.page.html_url}};
  if (!change.old_name.empty()) object.push_back({"old_title", change.old_name});
  if (change.has_diff) {
    object.push_back({"added", uint64_t{change.added}});
    object.push_back({"removed", uint64_t{change.removed}});
  }
  return object;
}

}  // namespace

Digest make_digest(const Event& event, const std::vector<FileDiff>& diff, size_t excerpt_lines) {
  Digest digest{event.repository, event.sender, {}};
  ChangeByName by_name;
  for (const Page& page : event.pages) {
    by_name.emplace(key_of(page.page_name), digest.changes.size());
    Change change;
    change.page = page;
    digest.changes.push_back(change);
  }
  for (const FileDiff& file : diff) {
    const std::string name = page_name_of(file.path);
    const std::string key = key_of(name);
    const bool is_news =
        file.kind == FileDiff::Kind::deleted || file.kind == FileDiff::Kind::renamed;
    if (name.empty() || (!is_news && !by_name.contains(key))) continue;
    if (by_name.emplace(key, digest.changes.size()).second) {
      digest.changes.push_back(change_from_diff(name, event.repository));
    }
    add_file(digest.changes[by_name[key]], file, excerpt_lines);
  }
  return digest;
}

json::Value to_json(const Digest& digest, size_t max_bytes) {
  json::Array changes;
  size_t bytes = 2;
  for (const Change& change : digest.changes) {
    json::Value object = to_json(change);
    bytes += json::write(object).size() + 1;
    if (bytes > max_bytes) break;
    changes.push_back(std::move(object));
  }
  return changes;
}

bool has_counts(const Change& change) {
  return change.added > 0 || change.removed > 0;
}

std::string page_count(size_t pages) {
  return fmt::format("{} {}", pages, pages == 1 ? "page" : "pages");
}

std::string diff_url(const Page& page) {
  if (page.html_url.empty() || page.sha.empty()) return "";
  return page.html_url + "/_compare/" + net::percent_encode(page.sha);
}

std::string history_url(const Page& page) {
  return page.html_url.empty() ? "" : page.html_url + "/_history";
}

std::string wiki_url(const Repository& repository) {
  return repository.html_url + "/wiki";
}

std::string wiki_history_url(const Repository& repository) {
  return wiki_url(repository) + "/_history";
}

}  // namespace gollum
