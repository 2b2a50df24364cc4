// Files to Slack, in the flow that replaced files.upload: ask for an address, send the bytes there,
// complete. Nothing shows in a channel before it is complete, so the first two steps are repeated
// freely; completing is one call like any other (slack/client.hpp).
// Source: docs.slack.dev "Working with files", files.getUploadURLExternal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "json/value.hpp"
#include "net/http.hpp"
#include "slack/client.hpp"

namespace slack {

inline constexpr const char* kCompleteUpload = "files.completeUploadExternal";

struct File {
  std::string filename;
  std::string title;     // "" for the filename
  net::BodyStream body;  // at least one byte: Slack takes no empty file
};

// Told while a file is on its way, the last time with all its bytes.
using Progress = std::function<void(const File& file, int64_t sent_bytes)>;

// Uploads the files one after the other; returns what kCompleteUpload wants as `files`. Throws as
// call_method does, with the file's name in front.
json::Array upload(const Sender& sender, const std::vector<File>& files, const Line& line,
                   const Progress& progress);

}  // namespace slack
