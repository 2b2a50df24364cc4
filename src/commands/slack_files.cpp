#include "commands/slack_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/input.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/slack_payload.hpp"
#include "commands/slack_places.hpp"
#include "slack/message.hpp"
#include "slack/upload.hpp"

namespace commands {

namespace {

constexpr size_t kMaxExcerpt = 300;

net::BodyStream body_of(const base::Parts& parts) {
  return {parts.bytes, parts.read};
}

slack::File open_file(const std::string& path, const std::string& filename, const base::Env& env) {
  slack::File file;
  file.filename = filename.empty() ? path.substr(path.rfind('/') + 1) : filename;
  file.body = body_of(base::open_parts(path, env));
  if (file.body.bytes > 0) return file;
  throw base::Error(base::exit_bad_input, fmt::format("{} is empty, and Slack takes no empty files",
                                                      path == "-" ? "standard input" : path));
}

std::vector<Sending> upload_to_places(const std::vector<slack::File>& files,
                                      const std::string& comment, const PostSettings& settings) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const slack::File& file : files) names.push_back(file.filename);
  std::vector<Sending> sendings;
  for (const Place& place : places_of(settings)) {
    Sending sending = sending_to(place, settings);
    sending.done = fmt::format("uploaded {} to {}", base::join(names, ", "), sending.place);
    sending.files = files;
    slack::Call call{slack::kCompleteUpload, {}};
    set_given(call.arguments, "channel_id", place.channel);
    set_given(call.arguments, "thread_ts", settings.delivery.thread_ts);
    set_given(call.arguments, "initial_comment", comment);
    sending.calls = {std::move(call)};
    sendings.push_back(std::move(sending));
  }
  return sendings;
}

slack::File file_of_payload(const json::Value& one, const base::Env& env) {
  const std::string content = json::string_at(one, "content");
  const std::string path = json::string_at(one, "file");
  const std::string filename = json::string_at(one, "filename");
  if (content.empty() && path.empty()) {
    throw base::Error(base::exit_bad_input,
                      "files.uploadV2 wants a file (a path) or content in its payload");
  }
  slack::File file;
  if (content.empty()) {
    file = open_file(path, filename, env);
  } else {
    file = {filename.empty() ? "file.txt" : filename, "", net::body_of(content)};
  }
  file.title = json::string_at(one, "title");
  return file;
}

}  // namespace

std::vector<Sending> compose_files(const Options& options, const PostSettings& settings,
                                   const std::string& comment) {
  std::vector<slack::File> files;
  for (const std::string& path : settings.files) {
    files.push_back(open_file(path, options.text("filename"), options.env()));
    files.back().title = options.text("title");
  }
  if (base::utf16_length(comment) > slack::kMaxText) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("the comment has {} characters, {} are the most",
                                  base::utf16_length(comment), slack::kMaxText));
  }
  return upload_to_places(files, comment, settings);
}

std::vector<Sending> compose_text_file(const Options& options, const PostSettings& settings,
                                       const std::string& text) {
  slack::File file;
  file.filename = options.toggle("markdown") ? "message.md" : "message.txt";
  file.title = options.text("title");
  file.body = net::body_of(text);
  const std::string comment =
      trusted_mrkdwn(base::shorten(text, kMaxExcerpt), {false, false, settings.trust.link_names});
  return upload_to_places({file}, comment, settings);
}

std::vector<Sending> compose_upload_v2(const PostSettings& settings, const base::Env& env) {
  const json::Value payload(settings.payload);
  json::Array several;
  if (const json::Array* list = json::as_array(json::find(payload, "file_uploads"))) {
    several = *list;
  }
  const bool names_one =
      json::find(payload, "file") != nullptr || json::find(payload, "content") != nullptr;
  if (names_one || several.empty()) several.insert(several.begin(), payload);
  std::vector<slack::File> files;
  for (const json::Value& one : several) files.push_back(file_of_payload(one, env));
  PostSettings own = settings;
  for (const char* name : {"channel_id", "channels", "channel"}) {
    const std::vector<std::string> channels = base::split_list(json::string_at(payload, name));
    if (own.delivery.channels.empty()) own.delivery.channels = channels;
  }
  if (own.delivery.thread_ts.empty()) {
    own.delivery.thread_ts = json::string_at(payload, "thread_ts");
  }
  return upload_to_places(files, json::string_at(payload, "initial_comment"), own);
}

}  // namespace commands
