#include "commands/es_checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/es_options.hpp"
#include "commands/report.hpp"
#include "eventstore/seek.hpp"
#include "eventstore/timestamp.hpp"
#include "json/write.hpp"
#include "store/checkpoints.hpp"

namespace commands {

namespace {

bool is_all(const store::Checkpoint& checkpoint) {
  return checkpoint.source == "$all";
}

}  // namespace

std::string place_text(const store::Checkpoint& checkpoint) {
  return is_all(checkpoint) ? fmt::format("{}/{}", checkpoint.commit, checkpoint.prepare)
                            : std::to_string(checkpoint.revision);
}

namespace {

std::string saved_text(const store::Checkpoint& checkpoint) {
  std::string text;
  eventstore::append_time(checkpoint.saved_unix_s * eventstore::kTicksPerSecond, text);
  return text.substr(0, text.find('.')) + "Z";
}

std::string json_line(const store::Checkpoint& checkpoint) {
  json::Object object = {{"processor", checkpoint.processor}, {"source", checkpoint.source}};
  if (is_all(checkpoint)) {
    object.push_back({"commit", checkpoint.commit});
    object.push_back({"prepare", checkpoint.prepare});
  } else {
    object.push_back({"revision", checkpoint.revision});
  }
  if (!checkpoint.state.empty()) object.push_back({"state", checkpoint.state});
  object.push_back({"saved", saved_text(checkpoint)});
  return json::write(object) + "\n";
}

// A stream's number, or COMMIT/PREPARE; false when it is none.
bool read_place(const std::string& text, store::Checkpoint& checkpoint) {
  eventstore::Offset offset;
  if (!eventstore::read_offset(text, 0, offset)) return false;
  checkpoint.revision = offset.number;
  if (offset.kind == eventstore::Offset::Kind::position) {
    checkpoint.commit = offset.position.commit;
    checkpoint.prepare = offset.position.prepare;
  }
  return offset.kind == (is_all(checkpoint) ? eventstore::Offset::Kind::position
                                            : eventstore::Offset::Kind::number);
}

}  // namespace

int list_checkpoints(const Options& options) {
  const auto all = store::read_checkpoints(options.text("checkpoints"));
  std::string text;
  for (const store::Checkpoint& checkpoint : all) {
    if (options.toggle("json")) {
      text += json_line(checkpoint);
      continue;
    }
    text += fmt::format("{:<20} {:<24} {:>12}  {}", base::one_line(checkpoint.processor),
                        base::one_line(checkpoint.source), place_text(checkpoint),
                        saved_text(checkpoint));
    if (!checkpoint.state.empty()) text += "  value " + base::one_line(checkpoint.state);
    text += "\n";
  }
  print_text(options.env(), text);
  if (all.empty()) report_progress(kEsTail, "there are no checkpoints in it");
  return base::exit_ok;
}

// A name that is mistyped makes a place that nobody goes on from.
void warn_of_first_place(const Options& options, const store::Checkpoint& checkpoint) {
  std::vector<std::string> places;
  for (const store::Checkpoint& known : store::read_checkpoints(options.text("checkpoints"))) {
    places.push_back(fmt::format("{} in {}", known.processor, known.source));
  }
  if (places.empty()) return;
  report_notice(options.env(), kEsTail,
                fmt::format("{} had no place in {} so far; there are places of {}",
                            checkpoint.processor, checkpoint.source, base::join(places, ", ")));
}

// The running value stays as it is: it goes with what was done, not with the place.
int set_checkpoint(const Options& options) {
  const std::vector<std::string> words = options.values("stream");
  store::Checkpoints checkpoints(options.text("checkpoints"));
  store::Checkpoint checkpoint;
  const auto found = checkpoints.find(words[2], words[3]);
  if (found) checkpoint = *found;
  checkpoint.processor = words[2];
  checkpoint.source = words[3];
  if (!read_place(words[4], checkpoint)) {
    throw base::Error(base::exit_usage,
                      fmt::format("{} is no place in {}: give the number of the last event that is "
                                  "done, for $all its COMMIT/PREPARE",
                                  shown_value(words[4]), base::one_line(words[3])));
  }
  checkpoint.saved_unix_s = base::real_clock().unix_s();
  if (!found) warn_of_first_place(options, checkpoint);
  checkpoints.save(checkpoint);
  const std::string value =
      checkpoint.state.empty()
          ? ""
          : fmt::format("; its value stays {}", base::one_line(checkpoint.state));
  report_progress(kEsTail, fmt::format("{} goes on behind {} of {}{}", words[2],
                                       place_text(checkpoint), words[3], value));
  return base::exit_ok;
}

int reset_checkpoint(const Options& options) {
  const std::string processor = options.values("stream")[2];
  store::read_checkpoints(options.text("checkpoints"));  // 66 when there is no such file
  store::Checkpoints checkpoints(options.text("checkpoints"));
  const int removed = checkpoints.remove(processor);
  if (removed == 0) {
    throw base::Error(base::exit_missing_input,
                      fmt::format("there is no checkpoint of {}; checkpoints list shows all",
                                  shown_value(processor)));
  }
  report_progress(kEsTail, fmt::format("{} begins anew, with no running value", processor));
  return base::exit_ok;
}

}  // namespace commands
