#include "commands/gollum_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/gollum_notify.hpp"
#include "commands/report.hpp"
#include "gollum/message.hpp"
#include "json/read.hpp"
#include "net/url.hpp"

namespace commands {

namespace {

constexpr size_t kMaxInputBytes = size_t{25} << 20U;
constexpr const char* kActions[] = {"created", "edited", "deleted", "renamed"};

// GITHUB_ACTOR stands in for a sender that the payload lacks.
void complete_sender(gollum::Event& event, const base::Env& env) {
  if (!event.sender.login.empty()) return;
  event.sender.login = env("GITHUB_ACTOR");
  const std::string server = net::origin(event.repository.html_url);
  if (event.sender.login.empty() || server.empty()) return;
  event.sender.html_url = server + "/" + net::percent_encode(event.sender.login);
}

// True when only a diff can tell of the actions that are wanted.
bool needs_diff(const Options& options) {
  const std::vector<std::string> actions = options.list("actions");
  for (const std::string& action : actions) {
    const std::string word = base::lower_ascii(action);
    if (word != "deleted" && word != "renamed") return false;
  }
  return !actions.empty();
}

}  // namespace

std::vector<Option> gollum_options() {
  std::vector<Option> table = {
      {"Event", "--event", "FILE|-", "GITHUB_EVENT_PATH", "", "the wiki event's JSON; - is stdin"},
      {"Event", "--ignore-other-events", "", "", "",
       "an event of another kind is a notice and exit 0, not an error", Kind::toggle},
      {"Event", "--diff", "FILE|-", "", "",
       "unified diff of the wiki (git show): adds line counts, an excerpt, deletions and renames"},
      {"Event", "--excerpt-lines", "N", "", "4", "changed lines to show of each page, 0 to 50"},
      {"Filters", "--pages", "LIST", "", "",
       "only these pages: patterns over title and page name, any case, with * and ?"},
      {"Filters", "--ignore-pages", "LIST", "", "", "not these pages: patterns"},
      {"Filters", "--titles", "LIST", "WIKI_TITLES_TO_ALERT", "",
       "only pages with exactly these titles, any case"},
      {"Filters", "--actions", "LIST", "", "",
       "only these: created, edited; with --diff also deleted, renamed"},
      {"Filters", "--ignore-authors", "LIST", "", "", "not by these logins: patterns"},
      {"Message", "--text-prefix", "MRKDWN", "SLACK_MESSAGE", "",
       "stands above the message; Slack's markup in it works"},
      mentions_option("Message", "mentions the author instead of linking"),
      {"Message", "--route", "PATTERN=CHANNEL", "", "",
       "pages that fit go to this channel (repeatable, one a line; the first that fits wins); the "
       "others go to --channel, or nowhere without one. Needs a token",
       Kind::lines},
  };
  for (const auto& more : {delivery_options(), looks_options(), output_options()}) {
    table.insert(table.end(), more.begin(), more.end());
  }
  return table;
}

Page gollum_help() {
  return {"[options]",
          "Reads GitHub's wiki event (gollum) and sends one Slack message that names every page "
          "that was created or edited, by whom, with links to the diff and the history. It "
          "succeeds only when Slack says so.\n"
          "Outputs for later steps: matched, pages (JSON), ok (true, false, or empty when nothing "
          "was to be sent), channel_id, ts, thread_ts, results (JSON, by channel).",
          "  SLACK_WEBHOOK=https://hooks.slack.com/services/… " PRODUCT_NAME
          " gollum-notify --event event.json\n"
          "  " PRODUCT_NAME
          " gollum-notify --dry-run --event event.json --diff wiki.diff\n"
          "  " PRODUCT_NAME " gollum-notify --channel '#docs' --route 'runbook*=#ops'\n"};
}

std::optional<gollum::Event> read_event(const Options& options) {
  const std::string path = options.text("event");
  if (path.empty()) {
    throw base::Error(base::exit_missing_input,
                      "no event: GITHUB_EVENT_PATH is not set; give --event FILE (or - for stdin)");
  }
  const bool from_runner = options.source("event") == Source::environment;
  const std::string name = from_runner ? options.env()("GITHUB_EVENT_NAME") : "";
  const bool ignore_others = options.toggle("ignore-other-events");
  std::string other = name.empty() || name == "gollum" ? "" : fmt::format("a '{}' event", name);
  json::Value document;
  if (other.empty()) {
    const std::string source = path == "-" ? "standard input" : path;
    document = json::parse(base::read_file(path, kMaxInputBytes, "the event"), source);
    if (name.empty() && !gollum::is_wiki_event(document)) other = "an event without pages";
  }
  if (other.empty()) {
    gollum::Event event = gollum::read_event(document);
    complete_sender(event, options.env());
    return event;
  }
  if (!ignore_others) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("this is {}, not a wiki event (gollum); run it 'on: gollum', or "
                                  "give --ignore-other-events",
                                  other));
  }
  report_notice(options.env(), kGollumNotify, fmt::format("nothing to tell: this is {}", other));
  return std::nullopt;
}

gollum::Filters read_filters(const Options& options) {
  gollum::Filters filters;
  filters.pages = options.list("pages");
  filters.ignore_pages = options.list("ignore-pages");
  filters.titles = options.list("titles");
  filters.ignore_authors = options.list("ignore-authors");
  filters.actions = options.list("actions");
  const std::vector<std::string> known(std::begin(kActions), std::end(kActions));
  for (const std::string& action : filters.actions) {
    if (std::find(known.begin(), known.end(), base::lower_ascii(action)) != known.end()) continue;
    throw options.wrong_value("actions", "a list of " + base::join(known, ", "));
  }
  return filters;
}

std::vector<gollum::Route> read_routes(const Options& options) {
  std::vector<gollum::Route> routes;
  for (const std::string& text : options.list("route")) routes.push_back(gollum::read_route(text));
  return routes;
}

std::vector<gollum::FileDiff> read_diff(const Options& options) {
  const std::string path = options.text("diff");
  if (path.empty()) return {};
  return gollum::read_diff(base::read_file(path, kMaxInputBytes, "the diff"),
                           path == "-" ? "standard input" : path);
}

std::string read_text_prefix(const Options& options) {
  std::string prefix = options.text("text-prefix");
  if (base::utf16_length(prefix) <= gollum::kMaxPrefix) return prefix;
  throw options.wrong_value("text-prefix",
                            fmt::format("at most {} characters", gollum::kMaxPrefix));
}

void check_usage(const Options& options, const Delivery& delivery, bool has_routes) {
  const bool by_webhook = !delivery.sender.webhook.empty();
  const bool by_token = !delivery.sender.token.empty();
  std::string problem;
  if (by_webhook && has_routes) {
    problem = "--route needs a bot token (--token): a webhook posts to one channel only";
  } else if (by_webhook && delivery.channels.size() > 1) {
    problem =
        "a webhook posts to one channel only; for several --channel give a bot token (--token)";
  } else if (!delivery.thread_ts.empty() && (has_routes || delivery.channels.size() > 1)) {
    problem =
        "--thread-ts belongs to one channel, so it can't go with --route or several --channel";
  } else if (by_token && delivery.channels.empty() && !has_routes) {
    problem = "a bot token needs a --channel (or --route)";
  } else if (needs_diff(options) && options.text("diff").empty()) {
    problem = "--actions deleted and renamed are known from a --diff only; give one";
  } else if (options.text("event") == "-" && options.text("diff") == "-") {
    problem = "--event and --diff can't both be standard input";
  } else if (!by_webhook && !by_token && !options.toggle("dry-run")) {
    problem =
        "no way to Slack: give --webhook (SLACK_WEBHOOK), or --token (SLACK_BOT_TOKEN) with "
        "--channel";
  }
  if (!problem.empty()) throw base::Error(base::exit_usage, problem);
}

}  // namespace commands
