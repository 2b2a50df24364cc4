// slack-post's uploads: files, and texts that become one.
#pragma once

#include <string>
#include <vector>

#include "commands/options.hpp"
#include "commands/sending.hpp"
#include "commands/slack_post_options.hpp"

namespace commands {

// The files of --file with `comment`, encoded already, to each place. Throws 65 for an empty file
// and a comment over 4,000 characters, 66 for a file that can't be read.
std::vector<Sending> compose_files(const Options& options, const PostSettings& settings,
                                   const std::string& comment);

// A text that is too long for a message as a file, its beginning as the comment.
std::vector<Sending> compose_text_file(const Options& options, const PostSettings& settings,
                                       const std::string& text);

// files.uploadV2 is no method of Slack but the official clients' word for the whole flow; workflows
// use it. The payload names one file, or several under file_uploads.
std::vector<Sending> compose_upload_v2(const PostSettings& settings, const base::Env& env);

}  // namespace commands
