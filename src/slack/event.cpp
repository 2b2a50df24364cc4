#include "slack/event.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/text.hpp"
#include "json/read.hpp"
#include "json/value.hpp"
#include "net/url.hpp"

namespace slack {

namespace {

// Subtypes of messages that a person wrote.
constexpr const char* kSpoken[] = {"", "thread_broadcast", "file_share", "me_message"};

std::string undone(std::string_view text) {
  const std::string less = base::replace_all(base::replace_all(text, "&lt;", "<"), "&gt;", ">");
  return base::replace_all(less, "&amp;", "&");
}

// What stands between < and >.
std::string typed_link(std::string_view link) {
  const size_t bar = link.find('|');
  const std::string_view target = link.substr(0, bar);
  const std::string_view label = bar == std::string_view::npos ? "" : link.substr(bar + 1);
  if (target.starts_with('@')) return "<" + std::string(target) + ">";
  if (target.starts_with('#')) return "#" + undone(label.empty() ? target.substr(1) : label);
  if (target.starts_with("!subteam^"))
    return label.empty() ? "<" + std::string(link) + ">" : undone(label);
  if (target.starts_with("!date^") && !label.empty()) return undone(label);
  if (target.starts_with('!')) return "@" + std::string(target.substr(1));
  return undone(label.empty() ? target : label);
}

Delivery without(Delivery delivery, Delivery::Kind kind, const std::string& reason) {
  delivery.kind = kind;
  delivery.reason = reason;
  return delivery;
}

// The workspace in which the bot is installed; in a shared channel team_id can be another one.
std::string own_team(const json::Value& envelope) {
  const json::Array* all = json::as_array(json::find(envelope, "authorizations"));
  std::string team = all == nullptr || all->empty() ? "" : json::string_at(all->front(), "team_id");
  if (team.empty()) team = json::string_at(envelope, "context_team_id");
  return team.empty() ? json::string_at(envelope, "team_id") : team;
}

// The bot's own user; "" when the event names none, or the person who installed the app instead.
std::string own_user(const json::Value& envelope) {
  const json::Array* all = json::as_array(json::find(envelope, "authorizations"));
  if (all == nullptr || all->empty()) return "";
  const json::Value* is_bot = json::find(all->front(), "is_bot");
  const bool is_person = is_bot != nullptr && !json::bool_at(all->front(), "is_bot");
  return is_person ? "" : json::string_at(all->front(), "user_id");
}

// What the bot wrote itself. Answers to commands name no user, but the app.
bool is_own(const json::Value& envelope, const json::Value& event, const std::string& own) {
  const std::string app = json::string_at(envelope, "api_app_id");
  return (!own.empty() && json::string_at(event, "user") == own) ||
         (!app.empty() && json::string_at(event, "app_id") == app);
}

// Takes <@U…> from the front, when it is the bot, or when Slack says that the bot was called.
void strip_mention(std::string& mrkdwn, const std::string& own, Heard& heard) {
  const std::string text = base::trim(mrkdwn);
  const size_t end = text.find('>');
  if (!text.starts_with("<@") || end == std::string::npos) return;
  const std::string user = text.substr(2, std::min(text.find('|'), end) - 2);
  if (own.empty() ? !heard.is_mention : user != own) return;
  heard.is_mention = true;
  mrkdwn = text.substr(end + 1);
  const std::string rest = base::trim(mrkdwn);
  if (rest.starts_with(':') || rest.starts_with(',')) mrkdwn = rest.substr(1);
}

Delivery read_message(Delivery delivery, const json::Value& envelope, const json::Value& event,
                      bool hear_bots) {
  using Kind = Delivery::Kind;
  const std::string type = json::string_at(event, "type");
  if (type != "message" && type != "app_mention") return without(delivery, Kind::ignored, type);
  const std::string subtype = json::string_at(event, "subtype");
  const std::string own = own_user(envelope);
  Heard& heard = delivery.heard;
  heard.user = json::string_at(event, "user");
  const bool by_bot = subtype == "bot_message" || !json::string_at(event, "bot_id").empty();
  if (is_own(envelope, event, own)) return without(delivery, Kind::ignored, "own message");
  if (by_bot && !hear_bots) return without(delivery, Kind::ignored, "bot");
  const bool is_spoken =
      subtype == "bot_message" ||
      std::find(std::begin(kSpoken), std::end(kSpoken), subtype) != std::end(kSpoken);
  if (!is_spoken) return without(delivery, Kind::ignored, subtype);
  heard.team = own_team(envelope);
  heard.channel = json::string_at(event, "channel");
  heard.ts = json::string_at(event, "ts");
  heard.thread_ts = json::string_at(event, "thread_ts");
  heard.is_direct =
      json::string_at(event, "channel_type") == "im" || heard.channel.starts_with('D');
  heard.is_mention = type == "app_mention";
  if (heard.channel.empty() || heard.ts.empty())
    return without(delivery, Kind::broken, "no channel or ts");
  std::string mrkdwn = json::string_at(event, "text");
  strip_mention(mrkdwn, own, heard);
  heard.text = base::trim(typed_text(mrkdwn));
  delivery.kind = Kind::heard;
  return delivery;
}

Delivery read_event(const json::Value& envelope, bool hear_bots) {
  Delivery delivery;
  delivery.token = json::string_at(envelope, "token");
  const std::string type = json::string_at(envelope, "type");
  if (type == "url_verification") {
    delivery.challenge = json::string_at(envelope, "challenge");
    return without(delivery, Delivery::Kind::challenge, "");
  }
  const json::Value* event = json::find(envelope, "event");
  if (type != "event_callback" || json::as_object(event) == nullptr) {
    return without(delivery, Delivery::Kind::ignored, type.empty() ? "no type" : type);
  }
  delivery.event_id = json::string_at(envelope, "event_id");
  return read_message(std::move(delivery), envelope, *event, hear_bots);
}

Delivery read_command(std::map<std::string, std::string> fields) {
  Delivery delivery;
  delivery.token = fields["token"];
  delivery.event_id = fields["trigger_id"];
  Heard& heard = delivery.heard;
  heard.command = fields["command"];
  if (fields["ssl_check"] == "1") return without(delivery, Delivery::Kind::ignored, "ssl_check");
  if (heard.command.empty()) return without(delivery, Delivery::Kind::ignored, "no command");
  heard.team = fields["team_id"];
  heard.channel = fields["channel_id"];
  heard.channel_name = fields["channel_name"];
  heard.user = fields["user_id"];
  heard.user_name = fields["user_name"];
  heard.text = base::trim(typed_text(fields["text"]));
  heard.response_url = fields["response_url"];
  heard.is_direct = heard.channel.starts_with('D');
  if (heard.channel.empty() || heard.user.empty()) {
    return without(delivery, Delivery::Kind::broken, "a command without channel or user");
  }
  return without(delivery, Delivery::Kind::heard, "");
}

}  // namespace

std::string typed_text(const std::string& mrkdwn) {
  std::string typed;
  size_t at = 0;
  while (at < mrkdwn.size()) {
    const size_t open = std::min(mrkdwn.find('<', at), mrkdwn.size());
    const size_t close = mrkdwn.find('>', open);
    const bool is_closed = close != std::string::npos;
    const size_t end = is_closed ? open : mrkdwn.size();
    typed += undone(std::string_view(mrkdwn).substr(at, end - at));
    if (!is_closed) break;
    typed += typed_link(std::string_view(mrkdwn).substr(open + 1, close - open - 1));
    at = close + 1;
  }
  std::erase(typed, '\0');  // no program can be given it
  return typed;
}

Delivery read_delivery(const std::string& body, const std::string& content_type, bool hear_bots) {
  const bool is_form =
      base::lower_ascii(content_type).find("x-www-form-urlencoded") != std::string::npos;
  if (is_form) return read_command(net::form_fields(body));
  const auto envelope = json::try_parse(body);
  if (envelope && json::as_object(&*envelope) != nullptr) return read_event(*envelope, hear_bots);
  return without({}, Delivery::Kind::broken, "no JSON object");
}

Delivery read_envelope(const std::string& type, const json::Value& payload, bool hear_bots) {
  if (type == "events_api") return read_event(payload, hear_bots);
  const json::Object* members = json::as_object(&payload);
  if (type != "slash_commands" || members == nullptr) {
    return without({}, Delivery::Kind::ignored, type);
  }
  std::map<std::string, std::string> fields;
  for (const json::Member& member : *members) {
    const std::string* text = json::as_string(&member.value);
    fields.emplace(member.name, text == nullptr ? "" : *text);
  }
  return read_command(std::move(fields));
}

}  // namespace slack
