#include "slack/upload.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "slack/errors.hpp"

namespace slack {

namespace {

struct Slot {
  std::string url;
  std::string file_id;
};

Slot ask_for_slot(const Sender& sender, const File& file, const Line& line) {
  const json::Value reply = call_method(
      sender,
      {"files.getUploadURLExternal", {{"filename", file.filename}, {"length", file.body.bytes}}},
      line);
  Slot slot{json::string_at(reply, "upload_url"), json::string_at(reply, "file_id")};
  if (slot.url.empty() || slot.file_id.empty()) {
    throw base::Error(base::exit_malformed_reply, "Slack's reply names no upload_url or file_id");
  }
  return slot;
}

void send_bytes(const Slot& slot, const File& file, const Line& line, const Progress& progress) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = slot.url;
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.stream = file.body;
  request.timeout_ms = line.timeout_ms;
  request.repeatable = true;
  if (progress) request.on_progress = [&](int64_t sent_bytes) { progress(file, sent_bytes); };
  const net::HttpResponse reply = exchange(request, line);
  if (reply.status != 200) refuse(reply, "the upload");
  if (progress) progress(file, file.body.bytes);
}

}  // namespace

json::Array upload(const Sender& sender, const std::vector<File>& files, const Line& line,
                   const Progress& progress) {
  Line repeating = line;
  repeating.repeat_when_unsure = true;
  json::Array uploaded;
  for (const File& file : files) {
    try {
      const Slot slot = ask_for_slot(sender, file, repeating);
      send_bytes(slot, file, repeating, progress);
      const std::string& title = file.title.empty() ? file.filename : file.title;
      uploaded.emplace_back(json::Object{{"id", slot.file_id}, {"title", title}});
    } catch (const Refused& error) {
      throw Refused(error.code(), fmt::format("{}: {}", file.filename, error.what()),
                    error.refusal());
    } catch (const base::Error& error) {
      throw base::Error(error.code(), fmt::format("{}: {}", file.filename, error.what()));
    }
  }
  return uploaded;
}

}  // namespace slack
