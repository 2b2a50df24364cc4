#include "commands/slack_payload.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "github/context.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "slack/mrkdwn.hpp"

namespace commands {

namespace {

constexpr size_t kMaxBytes = size_t{25} << 20U;

// Names of members in which Slack reads mrkdwn.
constexpr const char* kMrkdwnNames[] = {"text",   "pretext", "fallback",
                                        "footer", "title",   "initial_comment"};

std::string source_of(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

// slack-github-action takes the members of an object without its braces.
std::optional<json::Value> parse_bare_members(const std::string& text) {
  std::string members = base::trim(text);
  if (members.ends_with(',')) members.pop_back();
  return json::try_parse("{" + members + "}");
}

json::Value parse_document(const std::string& text, const std::string& source) {
  if (auto document = json::try_parse(text)) return std::move(*document);
  try {
    return json::parse_yaml(text, source);
  } catch (const base::Error&) {
    const std::string start = base::trim(text).substr(0, 1);
    if (start == "{" || start == "[") return json::parse(text, source);  // throws
    if (auto document = parse_bare_members(text)) return std::move(*document);
    throw;
  }
}

// Fills the templates of a document, knowing for each string where it stands.
class Filler {
 public:
  Filler(const Options& options, std::string source)
      : env_(options.env()),
        trust_(read_trust(options)),
        source_(std::move(source)),
        for_workflow_(options.choice("webhook-type") == "webhook-trigger") {}

  // Where the document lets Slack make mentions of names, those in values must be harmless.
  void fill(json::Value& document) {
    const bool links =
        json::find(document, "link_names") != nullptr || json::find(document, "parse") != nullptr;
    trust_.link_names = trust_.link_names || links;
    fill(document, "", false);
  }

 private:
  void fill(json::Value& value, const std::string& place, bool is_mrkdwn) {
    if (auto* text = std::get_if<std::string>(&value.data)) {
      *text = filled(*text, place, is_mrkdwn);
    } else if (auto* list = std::get_if<json::Array>(&value.data)) {
      for (size_t i = 0; i < list->size(); ++i) {
        fill((*list)[i], fmt::format("{}/{}", place, i), is_mrkdwn);
      }
    } else if (auto* object = std::get_if<json::Object>(&value.data)) {
      for (json::Member& member : *object) {
        const std::string inner = fmt::format("{}/{}", place, member.name);
        fill(member.value, inner, holds_mrkdwn(member.name, place));
      }
    }
  }

  bool holds_mrkdwn(const std::string& name, const std::string& place) const {
    if (for_workflow_) return false;  // names and their meaning are the workflow's own
    for (const char* known : kMrkdwnNames) {
      if (name == known) return true;
    }
    return name == "value" && place.find("/fields/") != std::string::npos;  // of an attachment
  }

  std::string filled(const std::string& text, const std::string& place, bool is_mrkdwn) {
    const auto value_of = [&](const std::string& name) {
      const std::string value = value_at(name);
      return is_mrkdwn ? trusted_mrkdwn(value, trust_) : value;
    };
    try {
      return github::fill_templates(text, value_of);
    } catch (const base::Error& error) {
      throw base::Error(error.code(), fmt::format("{}, at {}: {}", source_, place, error.what()));
    }
  }

  std::string value_at(const std::string& name) {
    if (name.starts_with("env.") && base::is_set(name.substr(4))) return env_(name.substr(4));
    if (name.starts_with("github.")) {
      if (!event_) event_ = read_github_event(env_);
      if (const auto value = github::context_text(env_, *event_, name.substr(7))) return *value;
    }
    throw base::Error(
        base::exit_bad_input,
        fmt::format("${{{{ {} }}}} has no value; templates know env.NAME of variables "
                    "that are set, and github.PATH of the run and its event",
                    base::shorten(base::one_line(name), 100)));
  }

  const base::Env& env_;
  std::optional<json::Value> event_;  // read when a template first asks for it
  Trust trust_;
  std::string source_;
  bool for_workflow_;
};

// Slack would get both, and choose.
void refuse_doubles(const json::Value& value, const std::string& source, const std::string& place) {
  if (const json::Array* list = json::as_array(&value)) {
    for (size_t i = 0; i < list->size(); ++i) {
      refuse_doubles((*list)[i], source, fmt::format("{}/{}", place, i));
    }
  }
  const json::Object* object = json::as_object(&value);
  if (object == nullptr) return;
  std::set<std::string_view> names;
  for (const json::Member& member : *object) {
    const std::string inner = fmt::format("{}/{}", place, member.name);
    if (!names.insert(member.name).second) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("{}, at {}: this name stands twice; drop one of them", source,
                                    base::one_line(inner)));
    }
    refuse_doubles(member.value, source, inner);
  }
}

json::Value read_document(const Options& options, const std::string& text,
                          const std::string& source) {
  json::Value document = parse_document(text, source);
  refuse_doubles(document, source, "");
  if (options.toggle("payload-templated")) Filler(options, source).fill(document);
  return document;
}

std::string flat_text(const json::Value& value) {
  const std::string* text = json::as_string(&value);
  return text != nullptr ? *text : json::write(value);
}

// {"a": {"b": [true]}} -> {"a_b_0": "true"}, as Workflow Builder wants its inputs.
void flatten(json::Object& flat, const json::Value& value, const std::string& name,
             const std::string& delimiter) {
  const json::Object* object = json::as_object(&value);
  const json::Array* list = json::as_array(&value);
  const std::string prefix = name.empty() ? "" : name + delimiter;
  if (object != nullptr && !object->empty()) {
    for (const json::Member& member : *object) {
      flatten(flat, member.value, prefix + member.name, delimiter);
    }
  } else if (list != nullptr && !list->empty()) {
    for (size_t i = 0; i < list->size(); ++i) {
      flatten(flat, (*list)[i], prefix + std::to_string(i), delimiter);
    }
  } else {
    flat.push_back({name, flat_text(value)});
  }
}

json::Value given_payload(const Options& options) {
  const std::string text = options.text("payload");
  const std::string path = options.text("payload-file-path");
  if (!text.empty()) return read_document(options, text, "the payload");
  if (!path.empty()) {
    return read_document(options, base::read_file(path, kMaxBytes, "the payload"), source_of(path));
  }
  // A workflow in Slack that is started without a payload gets the run's context.
  const bool wants_context = options.choice("webhook-type") == "webhook-trigger";
  if (!wants_context) return json::Object{};
  return github::context(options.env(), read_github_event(options.env()));
}

}  // namespace

Trust read_trust(const Options& options) {
  return {options.toggle("mrkdwn"), options.toggle("allow-broadcast"),
          options.toggle("link-names")};
}

std::string trusted_mrkdwn(const std::string& text, const Trust& trust) {
  const std::string repaired = base::repair_utf8(text);
  const std::string marked = trust.mrkdwn ? repaired : slack::escape_lines(repaired);
  return trust.broadcasts ? marked : slack::without_broadcasts(marked, trust.link_names);
}

std::string encoded_text(const std::string& text, const Trust& trust) {
  if (trust.mrkdwn) return trusted_mrkdwn(text, trust);
  const std::string plain = slack::escape_plain(text);
  return trust.broadcasts ? plain : slack::without_broadcasts(plain, trust.link_names);
}

slack::Markup markup_of(const Trust& trust) {
  return trust.mrkdwn ? slack::Markup::mrkdwn : slack::Markup::plain;
}

json::Value read_github_event(const base::Env& env) {
  const std::string path = env("GITHUB_EVENT_PATH");
  if (path.empty()) return nullptr;
  return json::parse(base::read_file(path, kMaxBytes, "the event"), path);
}

json::Object read_payload(const Options& options) {
  const json::Value document = given_payload(options);
  const json::Object* object = json::as_object(&document);
  if (object == nullptr) {
    throw base::Error(
        base::exit_bad_input,
        "the payload is no map of names to values, as a message or a method wants it");
  }
  const std::string delimiter = options.text("payload-delimiter");
  if (delimiter.empty()) return *object;
  json::Object flat;
  flatten(flat, document, "", delimiter);
  return flat;
}

json::Array read_blocks(const Options& options) {
  const std::string path = options.text("blocks");
  if (path.empty()) return {};
  const json::Value document =
      read_document(options, base::read_file(path, kMaxBytes, "the blocks"), source_of(path));
  const json::Value* inner = json::find(document, "blocks");
  const json::Array* list = json::as_array(inner == nullptr ? &document : inner);
  if (list == nullptr || list->empty()) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("{} holds no list of blocks", source_of(path)));
  }
  return *list;
}

bool payload_from_stdin(const Options& options) {
  return options.text("payload-file-path") == "-" || options.text("blocks") == "-";
}

}  // namespace commands
