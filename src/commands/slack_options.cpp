#include "commands/slack_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/findings.hpp"
#include "commands/report.hpp"
#include "json/read.hpp"
#include "net/url.hpp"

namespace commands {

namespace {

constexpr size_t kMaxMentionsBytes = size_t{25} << 20U;
constexpr const char* kDigits = "0123456789";
constexpr const char* kHexDigits = "0123456789abcdefABCDEF";

base::Error wrong(const std::string& what) {
  return {base::exit_usage, what};
}

bool consists_of(std::string_view text, const char* characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

std::string read_webhook(const Options& options) {
  std::string url = base::trim(options.text("webhook"));
  if (!url.empty() && !net::is_http_url(url)) {
    throw wrong(
        "the webhook is no URL (its value is not shown); it should begin with "
        "https://hooks.slack.com/services/");
  }
  return url;
}

// What goes into a header must not end it.
std::string read_token(const Options& options) {
  std::string token = base::trim(options.text("token"));
  for (const char c : token) {
    if (c <= ' ' || c > '~') {
      throw wrong(
          "the token holds a space or a character that no token has (its value is not "
          "shown); a bot token looks like xoxb-…");
    }
  }
  return token;
}

std::string read_api(const Options& options) {
  std::string url = base::trim(options.text("api"));
  if (!net::is_http_url(url)) {
    throw options.wrong_value("api", fmt::format("a URL, for example {}", slack::kApi));
  }
  return url;
}

bool token_wins(const Options& options, bool has_channel) {
  const Source webhook = options.source("webhook");
  const Source token = options.source("token");
  if (webhook != token) return token > webhook;
  if (token != Source::environment) throw wrong("give --webhook or --token, not both");
  return has_channel;
}

// Seconds to go on trying; --retries is the same question in slack-github-action's words.
struct Patience {
  const char* word;
  int64_t budget_ms;
  int64_t first_wait_ms;
};

constexpr Patience kPatiences[] = {
    {"0", 0, 1'000}, {"5", 300'000, 1'000}, {"10", 1'800'000, 1'000}, {"rapid", 10'000, 50}};

net::RetryPolicy read_patience(const Options& options) {
  net::RetryPolicy policy;
  policy.budget_ms = options.number("retry-budget", 0, 86'400) * 1000;
  const std::string word = base::lower_ascii(base::trim(options.text("retries")));
  if (word.empty()) return policy;
  for (const Patience& known : kPatiences) {
    if (word != known.word) continue;
    if (options.source("retries") <= options.source("retry-budget")) return policy;
    policy.budget_ms = known.budget_ms;
    policy.first_wait_ms = known.first_wait_ms;
    return policy;
  }
  throw options.wrong_value("retries", "0, 5, 10 or RAPID");
}

std::string read_proxy(const Options& options) {
  std::string url = base::trim(options.text("proxy"));
  if (url.find_first_of(" \t\r\n") != std::string::npos) {
    throw wrong("the proxy is no URL (its value is not shown); for example http://proxy:3128");
  }
  return url;
}

std::string read_color(const Options& options) {
  std::string color = base::trim(options.text("color"));
  if (color == "success") return "good";
  if (color == "failure") return "danger";
  if (color == "cancelled") return kGrey;
  const bool is_word = color == "good" || color == "warning" || color == "danger";
  const bool is_hex = color.starts_with('#') && (color.size() == 4 || color.size() == 7) &&
                      consists_of(color.substr(1), kHexDigits);
  if (!color.empty() && !is_word && !is_hex) {
    throw options.wrong_value("color", "good, warning, danger, #RRGGBB or a job's status");
  }
  return color;
}

}  // namespace

std::vector<Option> delivery_options() {
  const std::string group = "Delivery";
  std::vector<Option> table = {
      {group, "--webhook,--slack-webhook", "URL", "SLACK_WEBHOOK, SLACK_WEBHOOK_URL", "",
       "incoming webhook to send by; the URL is a secret"},
      {group, "--token,--slack-token", "TOKEN", "SLACK_BOT_TOKEN, SLACK_TOKEN", "",
       "bot token to send by (xoxb-…, scope chat:write), with --channel"},
      {group, "--channel,--slack-channel", "LIST", "SLACK_CHANNEL", "",
       "channels by ID or #name; each gets the message. With a webhook at most one, and only old "
       "webhooks obey it"},
      {group, "--thread-ts", "TS", "", "", "reply in the thread of this message"},
  };
  const std::vector<Option> connection = connection_options();
  table.insert(table.end(), connection.begin(), connection.end());
  return table;
}

std::vector<Option> connection_options() {
  const std::string group = "Delivery";
  return {
      {group, "--api", "URL", "SLACK_API_URL", slack::kApi, "base address of Slack's Web API"},
      {group, "--proxy", "URL", "", "",
       "proxy to go through; without it those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY"},
      {group, "--retry-budget", "SECONDS", "", "60",
       "how long, for each message, to go on trying when Slack can't be reached, is rate-limited "
       "(429) or fails (5xx)"},
      {group, "--retries", "0|5|10|RAPID", "", "",
       "the same in slack-github-action's words: none, 5 minutes, 30 minutes, 10 s in quick "
       "succession",
       Kind::choice},
      {group, "--timeout", "SECONDS", "", "30", "for each request, 1 to 3600"},
  };
}

std::vector<Option> looks_options() {
  const std::string group = "Looks";
  const std::string scope = "; a webhook of an app ignores it, a token needs chat:write.customize";
  return {
      {group, "--username", "NAME", "SLACK_USERNAME", "", "name to post under" + scope},
      {group, "--icon-emoji", "NAME", "SLACK_ICON_EMOJI", "", "emoji to post with, :bell:" + scope},
      {group, "--icon-url", "URL", "SLACK_ICON", "", "picture to post with" + scope},
      {group, "--color", "COLOR", "SLACK_COLOR", "",
       "bar beside the message: good, warning, danger, #RRGGBB, or a job's status"},
      {group, "--unfurl-links", "", "", "", "let Slack show previews of the links", Kind::toggle},
      {group, "--link-names", "", "SLACK_LINK_NAMES", "",
       "let Slack make mentions of @name and #channel in the text", Kind::toggle},
  };
}

std::vector<Option> output_options() {
  const std::string group = "Output";
  return {
      {group, "--dry-run", "", "", "", "show the message, send nothing", Kind::toggle},
      check_option(group, "the input, the way to Slack and what the token may do"),
      {group, "--output", "text|json", "", "text",
       "of what was sent, or found by --check; with --dry-run, json is the exact payload, one a "
       "line",
       Kind::choice},
      {group, "--json", "", "", "", "short for --output json", Kind::toggle},
  };
}

Option mentions_option(const std::string& group, const std::string& purpose) {
  return {group, "--mentions", "FILE",
          "",    "",           "YAML or JSON, GitHub login: Slack user ID; " + purpose};
}

Delivery read_delivery(const Options& options, bool named_channels) {
  Delivery delivery;
  delivery.sender = {read_webhook(options), read_token(options), read_api(options)};
  for (const std::string& channel : options.list("channel")) {
    const auto known = std::find(delivery.channels.begin(), delivery.channels.end(), channel);
    if (known == delivery.channels.end()) delivery.channels.push_back(channel);
  }
  delivery.thread_ts = read_ts(options, "thread-ts");
  const bool both = !delivery.sender.webhook.empty() && !delivery.sender.token.empty();
  if (both && token_wins(options, named_channels || !delivery.channels.empty())) {
    delivery.sender.webhook.clear();
  } else if (both) {
    delivery.sender.token.clear();
  }
  return delivery;
}

std::string read_ts(const Options& options, const std::string& name) {
  std::string ts = base::trim(options.text(name));
  const size_t dot = ts.find('.');
  const bool fits =
      ts.empty() || (dot != std::string::npos && consists_of(ts.substr(0, dot), kDigits) &&
                     consists_of(ts.substr(dot + 1), kDigits));
  if (!fits) {
    throw options.wrong_value(name, "a message's ts, for example 1700000000.000100");
  }
  return ts;
}

slack::Looks read_looks(const Options& options) {
  slack::Looks looks;
  looks.username = options.text("username");
  looks.icon_url = options.text("icon-url");
  looks.color = read_color(options);
  looks.unfurl_links = options.toggle("unfurl-links");
  looks.link_names = options.toggle("link-names");
  const std::string emoji = base::trim(options.text("icon-emoji"));
  if (!emoji.empty()) looks.icon_emoji = emoji.starts_with(':') ? emoji : ":" + emoji + ":";
  return looks;
}

slack::Mentions read_mentions(const Options& options) {
  const std::string path = options.text("mentions");
  if (path.empty()) return {};
  const std::string text = base::read_file(path, kMaxMentionsBytes, "the mentions");
  return slack::read_mentions(json::parse_yaml(text, path), path);
}

bool wants_json(const Options& options) {
  const std::string output = options.choice("output");
  const bool json_is_nearer = options.source("json") >= options.source("output");
  return output == "json" || (options.toggle("json") && json_is_nearer);
}

net::CurlOptions curl_options(const Options& options) {
  return {PRODUCT_NAME "/" PRODUCT_VERSION, options.env(), read_proxy(options)};
}

slack::Line make_line(const Options& options, const std::string& command) {
  slack::Line line;
  line.http = net::curl_http(curl_options(options));
  line.clock = base::real_clock();
  line.timeout_ms = options.number("timeout", 1, 3'600) * 1000;
  line.retry = read_patience(options);
  line.retry.on_wait = [command](const std::string& reason, int64_t wait_ms) {
    report_progress(command,
                    fmt::format("{}; next attempt in {} s", reason, (wait_ms + 999) / 1000));
  };
  return line;
}

}  // namespace commands
