#include "commands/slack_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/report.hpp"
#include "net/curl.hpp"
#include "net/url.hpp"

namespace commands {

namespace {

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

std::string read_thread(const Options& options) {
  std::string ts = base::trim(options.text("thread-ts"));
  const size_t dot = ts.find('.');
  const bool fits =
      ts.empty() || (dot != std::string::npos && consists_of(ts.substr(0, dot), kDigits) &&
                     consists_of(ts.substr(dot + 1), kDigits));
  if (!fits) {
    throw options.wrong_value("thread-ts", "a message's ts, for example 1700000000.000100");
  }
  return ts;
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

std::string read_color(const Options& options) {
  std::string color = base::trim(options.text("color"));
  const bool is_word = color == "good" || color == "warning" || color == "danger";
  const bool is_hex = color.starts_with('#') && (color.size() == 4 || color.size() == 7) &&
                      consists_of(color.substr(1), kHexDigits);
  if (!color.empty() && !is_word && !is_hex) {
    throw options.wrong_value("color", "good, warning, danger or #RRGGBB");
  }
  return color;
}

}  // namespace

std::vector<Option> delivery_options() {
  const std::string group = "Delivery";
  return {
      {group, "--webhook,--slack-webhook", "URL", "SLACK_WEBHOOK, SLACK_WEBHOOK_URL", "",
       "incoming webhook to send by; the URL is a secret"},
      {group, "--token,--slack-token", "TOKEN", "SLACK_BOT_TOKEN, SLACK_TOKEN", "",
       "bot token to send by (xoxb-…, scope chat:write), with --channel"},
      {group, "--channel,--slack-channel", "LIST", "", "",
       "channels by ID or #name; each gets the message. With a webhook at most one, and only old "
       "webhooks obey it"},
      {group, "--thread-ts", "TS", "", "", "reply in the thread of this message"},
      {group, "--api", "URL", "SLACK_API_URL", slack::kApi, "base address of Slack's Web API"},
      {group, "--retry-budget", "SECONDS", "", "60",
       "how long, for each message, to go on trying when Slack can't be reached, is rate-limited "
       "(429) or fails (5xx)"},
      {group, "--timeout", "SECONDS", "", "30", "for each request, 1 to 3600"},
  };
}

std::vector<Option> looks_options() {
  const std::string group = "Looks";
  const std::string scope = "; a webhook of an app ignores it, a token needs chat:write.customize";
  return {
      {group, "--username", "NAME", "", "", "name to post under" + scope},
      {group, "--icon-emoji", "NAME", "", "", "emoji to post with, :bell:" + scope},
      {group, "--icon-url", "URL", "", "", "picture to post with" + scope},
      {group, "--color", "COLOR", "", "", "bar beside the message: good, warning, danger, #RRGGBB"},
      {group, "--unfurl-links", "", "", "", "let Slack show previews of the links", Kind::toggle},
  };
}

Delivery read_delivery(const Options& options, bool named_channels) {
  Delivery delivery;
  delivery.sender = {read_webhook(options), read_token(options), read_api(options)};
  for (const std::string& channel : options.list("channel")) {
    const auto known = std::find(delivery.channels.begin(), delivery.channels.end(), channel);
    if (known == delivery.channels.end()) delivery.channels.push_back(channel);
  }
  delivery.thread_ts = read_thread(options);
  const bool both = !delivery.sender.webhook.empty() && !delivery.sender.token.empty();
  if (both && token_wins(options, named_channels || !delivery.channels.empty())) {
    delivery.sender.webhook.clear();
  } else if (both) {
    delivery.sender.token.clear();
  }
  return delivery;
}

slack::Looks read_looks(const Options& options) {
  slack::Looks looks;
  looks.username = options.text("username");
  looks.icon_url = options.text("icon-url");
  looks.color = read_color(options);
  looks.unfurl_links = options.toggle("unfurl-links");
  const std::string emoji = base::trim(options.text("icon-emoji"));
  if (!emoji.empty()) looks.icon_emoji = emoji.starts_with(':') ? emoji : ":" + emoji + ":";
  return looks;
}

slack::Line make_line(const Options& options, const std::string& command) {
  slack::Line line;
  line.http = net::curl_http({PRODUCT_NAME "/" PRODUCT_VERSION, options.env()});
  line.clock = base::real_clock();
  line.timeout_ms = options.number("timeout", 1, 3'600) * 1000;
  line.retry.budget_ms = options.number("retry-budget", 0, 86'400) * 1000;
  line.retry.on_wait = [command](const std::string& reason, int64_t wait_ms) {
    report_progress(command,
                    fmt::format("{}; next attempt in {} s", reason, (wait_ms + 999) / 1000));
  };
  return line;
}

}  // namespace commands
