#include "commands/es_options.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/findings.hpp"
#include "commands/relations.hpp"

namespace commands {

namespace {

constexpr const char* kOfEvents =
    "all event-type event-type-regex stream-prefix stream-regex offset exit count resolve-links "
    "direction from-file";
constexpr const char* kOfOutput = "format json output-file";
constexpr const char* kOfServer = "url max-downtime";
constexpr const char* kOfRunning = "group group-buffer sync-interval fail-fast drain-timeout";

constexpr Relation kApart[] = {
    {"stream", "all"},
    {"from-file", "stream all group offset direction resolve-links url max-downtime exit"},
    {"processors", "format json output-file direction count"},
    {"group", "offset exit direction resolve-links checkpoints sync-interval"},
    {"json", "format"},
    {"event-type", "event-type-regex stream-prefix stream-regex"},
    {"event-type-regex", "stream-prefix stream-regex"},
    {"stream-prefix", "stream-regex"},
};

constexpr Relation kNeeds[] = {
    {"stream-prefix", "all from-file"}, {"stream-regex", "all from-file"},
    {"checkpoints", "processors"},      {"sync-interval", "checkpoints"},
    {"fail-fast", "processors"},        {"group-buffer", "group"},
    {"drain-timeout", "processors"},
};

std::vector<Option> event_options() {
  const std::string group = "Events";
  return {
      {group, "--stream,STREAM", "STREAM", "", "", "the stream", Kind::words},
      {group, "--all", "", "", "", "$all: the events of all streams", Kind::toggle},
      {group, "--event-type", "PREFIX", "", "",
       "only events whose type begins with this, or with one of several", Kind::items},
      {group, "--event-type-regex", "REGEX", "", "", "only events whose type fits this"},
      {group, "--stream-prefix", "PREFIX", "", "",
       "with --all: only events of streams whose name begins with this, or with one of several",
       Kind::items},
      {group, "--stream-regex", "REGEX", "", "", "with --all: of streams whose name fits this"},
      {group, "--offset,-o", "WHERE", "", "",
       "beginning; end; N, the number of the first event; -N, so many before the end; @TIME, from "
       "a time on (2026-11-25T12:00:00Z, 2026-11-25, seconds or milliseconds since 1970, or -2h, "
       "-7d for so long ago); with --all COMMIT/PREPARE, behind that position. Default: end; with "
       "-e, and for "
       "processors that have no place yet: beginning"},
      {group, "--exit,-e", "", "", "", "end where the stream ends, instead of waiting for more",
       Kind::toggle},
      {group, "--count,-c", "N", "", "", "end after so many events"},
      {group, "--resolve-links", "", "", "", "the events that links point to, not the links",
       Kind::toggle},
      {group, "--direction", "forwards|backwards", "", "forwards",
       "forwards, or backwards: from the end, or from -o, to the beginning", Kind::choice},
      {group, "--from-file", "FILE|-", "", "",
       "events from a file of JSON Lines, as --json writes them; no server is asked"},
  };
}

std::vector<Option> output_options_of_es() {
  const std::string group = "Output";
  return {
      {group, "--format,-f", "FORMAT", "", "",
       "%s stream, %n number, %t type, %d data, %m metadata, %T time, %i id, %c content type, %p "
       "position, %r deliveries before, %% a percent sign; \\n \\t \\r \\0 \\xHH"},
      {group, "--json,-J", "", "", "",
       "JSON Lines: stream, revision, commit, prepare, type, id, created, content_type, data or "
       "data_base64, metadata, link",
       Kind::toggle},
      {group, "--output-file", "FILE", "", "",
       "append to this file, synced to disk, instead of standard output"},
      check_option(group,
                   "the server, the rights, the processors' programs and places; takes no event"),
      {group, "--quiet,-q", "", "", "",
       "no progress on standard error; only errors and events that are given up", Kind::toggle},
  };
}

std::vector<Option> server_options() {
  const std::string group = "Server";
  return {
      {group, "--url", "URL", "ES_URL", "esdb://localhost:2113?tls=false",
       "connection string: esdb://user:password@host:2113, or kurrentdb://…; several hosts or "
       "esdb+discover://… find the cluster's nodes; ?tls=false and the other keys as the official "
       "clients know them"},
      {group, "--max-downtime", "DURATION", "", "",
       "give up after so long without the server; without it, never once it was reached"},
      {group, "--group", "NAME", "", "",
       "join this persistent subscription: the server hands each event to one of its consumers"},
      {group, "--group-buffer", "N", "", "10",
       "events that may be with this consumer unacknowledged; the time for all of them must stay "
       "below "
       "the group's message timeout"},
  };
}

std::vector<Option> processor_options() {
  const std::string group = "Processors";
  return {
      {group, "--processors", "FILE", "", "", "what is done with events, in YAML"},
      {group, "--checkpoints", "FILE", "", "",
       "where each processor's place is kept; made when it is not there"},
      {group, "--sync-interval", "DURATION", "", "500ms",
       "how often the places are written; 0: after every event; none: never, so that every start "
       "begins at -o"},
      {group, "--fail-fast", "", "", "",
       "stop all processors when one stops for good; without it the others go on", Kind::toggle},
      {group, "--drain-timeout", "DURATION", "", "10s",
       "how long a stop waits for the events in hand"},
  };
}

void refuse(const std::string& problem) {
  if (!problem.empty()) throw base::Error(base::exit_usage, problem);
}

// An option that means nothing for a job.
void refuse_given(const Options& options, const std::string& job,
                  std::initializer_list<const char*> lists) {
  for (const char* names : lists) refuse(problem_without_effect(options, job, names));
}

EsJob read_checkpoints_job(const Options& options, const std::vector<std::string>& words) {
  if (!options.is_on("checkpoints")) {
    refuse("no file is given whose checkpoints are meant: add --checkpoints FILE");
  }
  refuse_given(options, "checkpoints " + words[1],
               {kOfEvents, kOfServer, kOfRunning, "format output-file processors quiet check"});
  if (words[1] == "list" && words.size() == 2) return EsJob::list;
  refuse_given(options, "checkpoints " + words[1], {"json"});
  if (words[1] == "set" && words.size() == 5) return EsJob::set;
  if (words[1] == "reset" && words.size() == 3) return EsJob::reset;
  throw base::Error(base::exit_usage,
                    "checkpoints is one of: checkpoints list, checkpoints set PROCESSOR STREAM "
                    "NUMBER (for $all COMMIT/PREPARE), checkpoints reset PROCESSOR; each with "
                    "--checkpoints FILE");
}

}  // namespace

std::vector<Option> es_options() {
  std::vector<Option> table = event_options();
  for (const auto& more : {output_options_of_es(), server_options(), processor_options()}) {
    table.insert(table.end(), more.begin(), more.end());
  }
  return table;
}

Page es_help() {
  return {
      "STREAM [options]",
      "Prints the events of an EventStoreDB or KurrentDB stream as they come, or hands them to "
      "event processors, each of which has its own durable place in the stream: what stops goes on "
      "where it was, and leaves no event out. The connection may break, the server restart, a "
      "reader stall: it goes on behind the last event.\n\n"
      "Checkpoints: " PRODUCT_NAME
      " es-tail checkpoints list|set PROCESSOR STREAM NUMBER|reset PROCESSOR --checkpoints FILE\n"
      "Dead letters: " PRODUCT_NAME
      " es-tail replay FILE --processors FILE runs them again and leaves in the file what fails "
      "again.",
      "  " PRODUCT_NAME
      " es-tail orders --url 'esdb://localhost:2113?tls=false'\n"
      "  " PRODUCT_NAME
      " es-tail orders -o beginning -e -J > orders.jsonl\n"
      "  " PRODUCT_NAME
      " es-tail --all --event-type Order -o -100 -f '%T %s %t %d\\n'\n"
      "  " PRODUCT_NAME
      " es-tail orders --processors sales.yaml --checkpoints sales.db\n"
      "  " PRODUCT_NAME " es-tail --from-file orders.jsonl --processors sales.yaml\n",
      {"checkpoints list", "checkpoints set", "checkpoints reset", "replay FILE"}};
}

EsJob read_es_job(const Options& options) {
  const std::vector<std::string> words = options.values("stream");
  if (words.size() >= 2 && words[0] == "checkpoints") return read_checkpoints_job(options, words);
  if (words.size() == 2 && words[0] == "replay") {
    if (!options.is_on("processors")) {
      refuse("replay needs to know what to run: add --processors FILE");
    }
    refuse_given(options, "replay",
                 {kOfEvents, kOfOutput, kOfServer, "group group-buffer",
                  "sync-interval checkpoints fail-fast"});
    return EsJob::replay;
  }
  if (words.size() > 1) {
    refuse(fmt::format("there is more than one stream: {} is left over", shown_value(words[1])));
  }
  refuse(problem_of_pairs(options, kApart));
  refuse(problem_of_needs(options, kNeeds));
  if (options.text("from-file") == "-" && options.is_on("checkpoints")) {
    refuse(
        "standard input has no places to come back to: give --from-file a file, or drop "
        "--checkpoints");
  }
  const bool has_source = !words.empty() || options.toggle("all") || options.is_on("from-file");
  if (!has_source) refuse("no stream is given: name one, or give --all or --from-file FILE");
  return options.is_on("processors") ? EsJob::process : EsJob::tail;
}

}  // namespace commands
