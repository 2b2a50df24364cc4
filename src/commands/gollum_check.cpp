#include "commands/gollum_check.hpp"
#include "commands/clear_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "commands/gollum_notify.hpp"
#include "commands/gollum_options.hpp"
#include "commands/slack_check.hpp"
#include "gollum/digest.hpp"

namespace commands {

namespace {

constexpr const char* kEvent = "event";
constexpr const char* kStdin = "standard input is not read by --check";

// What the run would tell of; the diff can add pages to it.
std::string look_at_event(const Options& options, Findings& findings) {
  const std::optional<gollum::Event> event = read_event(options);
  if (!event) return "of another kind, and so passed over";
  const gollum::Digest whole = gollum::make_digest(*event, {}, 0);
  const gollum::Digest digest = gollum::filtered(whole, read_filters(options));
  const std::string pages = gollum::page_count(whole.changes.size());
  if (whole.changes.size() == digest.changes.size()) {
    return fmt::format("{} of {}", pages, base::one_line(whole.repository.full_name));
  }
  const std::string text =
      fmt::format("{}, of which the filters let {} through", pages, digest.changes.size());
  if (!digest.changes.empty()) return text;
  findings.warn(kEvent, text + "; nothing would be told");
  return "";
}

void check_event(Findings& findings, const Options& options) {
  const std::string path = options.text("event");
  if (path.empty()) {
    findings.not_checked(kEvent,
                         "there is none outside of a workflow's run; --event FILE names one");
  } else if (path == "-") {
    findings.not_checked(kEvent, kStdin);
  } else {
    findings.look(kEvent, [&] { return look_at_event(options, findings); });
  }
}

void check_files(Findings& findings, const Options& options) {
  const std::string diff = options.text("diff");
  if (diff == "-") findings.not_checked("diff", kStdin);
  if (!diff.empty() && diff != "-") {
    findings.look("diff", [&] { return fmt::format("{} files", read_diff(options).size()); });
  }
  if (options.text("mentions").empty()) return;
  findings.look("mentions", [&] { return fmt::format("{} names", read_mentions(options).size()); });
}

std::vector<std::string> all_channels(const Delivery& delivery,
                                      const std::vector<gollum::Route>& routes) {
  std::vector<std::string> channels = delivery.channels;
  for (const gollum::Route& route : routes) {
    const bool is_new =
        std::find(channels.begin(), channels.end(), route.channel) == channels.end();
    if (is_new) channels.push_back(route.channel);
  }
  return channels;
}

}  // namespace

int check_gollum_notify(const Options& options) {
  const std::vector<gollum::Route> routes = read_routes(options);
  const Delivery delivery = read_delivery(options, !routes.empty());
  check_usage(options, delivery, !routes.empty());
  read_filters(options);
  options.number("excerpt-lines", 0, 50);
  read_text_prefix(options);
  read_looks(options);
  const slack::Line line = looking_line(options, make_line(options, kGollumNotify));
  Findings findings = slack_findings(options);
  warn_of_clear_text(options.env(), kGollumNotify, delivery.sender);
  check_event(findings, options);
  check_files(findings, options);
  if (!delivery.sender.webhook.empty()) {
    check_webhook(findings, options, delivery.sender.webhook, false);
  } else if (!delivery.sender.token.empty()) {
    std::vector<ScopeNeed> needs = {{"chat:write", "post"}};
    add_looks_needs(needs, options);
    const auto identity = check_token(findings, delivery.sender, line, needs);
    for (const std::string& channel : all_channels(delivery, routes)) {
      if (identity) check_channel(findings, delivery.sender, line, *identity, channel, false);
    }
  }
  return findings.end();
}

}  // namespace commands
