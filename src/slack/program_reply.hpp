// What a program's output says to the channel.
#pragma once

#include <string>
#include <vector>

#include "slack/bot.hpp"

namespace slack {

// A file that the program made: {"files": [{"filename": …, "title": …, "path": …}]}. Whoever sends
// it must see that it is a regular file below the handler's folder: the path may be anything.
struct MadeFile {
  std::string filename;
  std::string title;
  std::string path;
};

// An answer as it goes to Slack.
struct Reply {
  std::string text;  // escaped; mrkdwn when formatted
  bool formatted = false;
  std::vector<MadeFile> files;
  bool failed = false;      // the program, or it could not be run
  std::string long_output;  // too long for messages: to be uploaded as a text file
};

// How a program ended; base::Outcome's facts.
struct Ended {
  int exit_code = 0;
  std::string output;
  bool timed_out = false;
  bool cut = false;
};

// The output as text; as files, when the handler may send some and it is JSON that names them
// ("text" may go with them); with a
// line in front when the program failed, ran out of time or said more than is kept.
Reply reply_of(const Handler& handler, const Ended& ended);

// The message as JSON, as programs get it on their standard input.
std::string program_input(const Heard& heard, const Task& task);

}  // namespace slack
