#include "slack/program_reply.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "slack/message.hpp"
#include "slack/mrkdwn.hpp"

namespace slack {

namespace {

constexpr size_t kMostParts = 3;  // more than these are no answer to read in a channel
constexpr size_t kMostFiles = 20;

// What there is to say of how it ended; "" when it went well.
std::string verdict(const Handler& handler, const Ended& ended) {
  if (ended.timed_out) {
    const bool is_whole = handler.timeout_ms % 1000 == 0;
    return fmt::format("{} was ended: it took longer than {} {}", handler.name,
                       is_whole ? handler.timeout_ms / 1000 : handler.timeout_ms,
                       is_whole ? "s" : "ms");
  }
  if (ended.exit_code != 0)
    return fmt::format("{} failed (exit code {})", handler.name, ended.exit_code);
  if (ended.cut)
    return fmt::format("{} said more than {} bytes; the rest is cut", handler.name,
                       handler.most_output_bytes);
  return "";
}

// The files that the output names; false when it is no such JSON.
bool read_files(const std::string& output, Reply& reply) {
  if (!base::trim(output).starts_with('{')) return false;
  const auto document = json::try_parse(output);
  if (!document) return false;
  const json::Array* files = json::as_array(json::find(*document, "files"));
  if (files == nullptr || files->empty() || files->size() > kMostFiles) return false;
  for (const json::Value& file : *files) {
    MadeFile made{json::string_at(file, "filename"), json::string_at(file, "title"),
                  json::string_at(file, "path")};
    if (made.path.empty()) return false;
    if (made.filename.empty()) made.filename = made.path.substr(made.path.rfind('/') + 1);
    reply.files.push_back(std::move(made));
  }
  reply.text = escape_plain(json::string_at(*document, "text"));
  return true;
}

}  // namespace

Reply reply_of(const Handler& handler, const Ended& ended) {
  Reply reply;
  const std::string trouble = escape_plain(verdict(handler, ended));
  const bool may_send = !handler.files_below.empty();
  const bool has_files = may_send && trouble.empty() && read_files(ended.output, reply);
  if (has_files) return reply;
  reply.files.clear();
  std::string output = ended.output;
  while (output.ends_with('\n') || output.ends_with('\r')) output.pop_back();
  const std::string said = escape_plain(base::repair_utf8(output));
  reply.text = base::trim(said).empty() ? "" : said;
  if (base::utf16_length(said) > kMostParts * kMaxText) {
    reply.long_output = output;
    reply.text = "";
  }
  reply.failed = ended.timed_out || ended.exit_code != 0;
  if (!trouble.empty()) reply.text = trouble + (reply.text.empty() ? "" : "\n" + reply.text);
  const bool says_nothing = reply.text.empty() && reply.long_output.empty();
  if (says_nothing) reply.text = escape_plain(handler.name + " is done");
  return reply;
}

std::string program_input(const Heard& heard, const Task& task) {
  json::Object captures;
  for (const auto& [name, text] : task.captures) captures.push_back({name, text});
  return json::write(json::Object{{"text", heard.text},
                                  {"user", heard.user},
                                  {"channel", heard.channel},
                                  {"ts", heard.ts},
                                  {"thread_ts", heard.thread_ts},
                                  {"team", heard.team},
                                  {"command", heard.command},
                                  {"captures", std::move(captures)}}) +
         "\n";
}

}  // namespace slack
