#include "commands/es_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/look.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/es_checkpoints.hpp"
#include "commands/es_process.hpp"
#include "commands/es_source.hpp"
#include "commands/findings.hpp"
#include "eventstore/inquiry.hpp"
#include "eventstore/rpc.hpp"
#include "eventstore/seek.hpp"
#include "store/checkpoints.hpp"

namespace commands {

namespace {

using eventstore::ProcessorSpec;

constexpr int64_t kMostMs = 5'000;  // for each question
constexpr const char* kServer = "server";

// --- The server ---

void warn_of_weakness(Findings& findings, const eventstore::Connection& settings) {
  if (settings.tls && !settings.verify) {
    findings.warn("TLS", "tlsVerifyCert=false: anybody can pass for the server");
  }
  if (!settings.tls && !settings.user.empty()) {
    findings.warn("TLS", "tls=false: the password can be read on its way");
  }
}

// What the user may do is told by reading; a server need not tell everybody its version.
std::string shown_version(const EsSource& source, const eventstore::Node& node) {
  try {
    const std::string version =
        eventstore::server_version(source.nodes(), node, source.channel().clock, kMostMs);
    return version.empty() ? "before 21.10" : version;
  } catch (const eventstore::RpcError& error) {
    if (error.code() != base::exit_refused) throw;
    return "not told to this user";
  }
}

// Nothing when it can't be reached.
std::shared_ptr<eventstore::Node> check_server(Findings& findings, const EsSource& source) {
  std::shared_ptr<eventstore::Node> node;
  findings.look(kServer, [&] {
    eventstore::Nodes& nodes = source.nodes();
    node = nodes.node(kMostMs);
    return fmt::format("{}{}, version {}", eventstore::name_of(node->endpoint),
                       nodes.settings().tls ? " by TLS" : "", shown_version(source, *node));
  });
  return node;
}

// The place behind the last event.
eventstore::Place check_reading(Findings& findings, const EsSource& source) {
  const std::string name = "stream " + base::one_line(source.name());
  eventstore::Place last;
  findings.look(name, [&]() -> std::string {
    eventstore::ChannelOptions channel = source.channel();
    channel.max_downtime_ms = kMostMs;
    last = eventstore::last_place(source.nodes(), channel, source.target());
    if (last.kind != eventstore::Place::Kind::start) return "may be read, and has events";
    findings.warn(name, "has no events, or is not there; check its name if it should");
    return "";
  });
  return last;
}

// Without joining it, which would take events from others.
void check_group(Findings& findings, const Options& options, const EsSource& source,
                 const eventstore::Node& node) {
  const std::string name = "group " + base::one_line(options.text("group"));
  findings.look(name, [&]() -> std::string {
    try {
      eventstore::ask_for_group(source.nodes(), node, source.target().stream, options.text("group"),
                                source.channel().clock, kMostMs);
      return "is there; whether this user may join it is known by joining";
    } catch (const eventstore::RpcError& error) {
      const bool may_be_there = error.code() != base::exit_missing_input;
      if (!may_be_there) throw;
      findings.not_checked(name, fmt::format("known by joining only ({})", error.what()));
      return "";
    }
  });
}

// What is read, and how far it goes: by name, and only when checkpoints can be compared with it.
struct Reached {
  std::string name;
  eventstore::Place last;
};

Reached check_source(Findings& findings, const Options& options) {
  std::optional<EsSource> source;
  const bool can_be_read = findings.look("source", [&] {
    source.emplace(options, [&findings](const std::string& text) { findings.warn(kServer, text); });
    return "";
  });
  if (!can_be_read) return {};
  if (source->is_file()) {
    const std::string path = options.text("from-file");
    if (path == "-") {
      findings.not_checked("events", "standard input is not read by --check");
    } else {
      findings.look("events", [&] {
        source->open({});
        return path + " can be read";
      });
    }
    return {};
  }
  warn_of_weakness(findings, source->nodes().settings());
  const std::shared_ptr<eventstore::Node> node = check_server(findings, *source);
  if (node == nullptr) return {};
  const eventstore::Place last = check_reading(findings, *source);
  if (options.is_on("group")) check_group(findings, options, *source, *node);
  if (source->target().is_all()) return {};
  return {source->name(), last};
}

// --- The processors ---

void check_processor(Findings& findings, const ProcessorSpec& spec, const base::Env& env) {
  const std::string name = "processor " + base::one_line(spec.name);
  eventstore::Surroundings around;
  around.env = env;
  findings.look(name, [&]() -> std::string {
    spec.make(around);
    return spec.program.empty() ? "its description and variables are right"
                                : base::find_program(spec.program, env);
  });
  if (spec.dead_letter.empty()) return;
  findings.look("dead letters of " + base::one_line(spec.name), [&] {
    base::look_writable(spec.dead_letter);
    return spec.dead_letter + " can be written to";
  });
}

std::vector<ProcessorSpec> check_processors(Findings& findings, const Options& options) {
  std::vector<ProcessorSpec> specs;
  findings.look("processors", [&] {
    specs = read_specs(options);
    check_together(options, specs);
    return fmt::format("{} in {}", specs.size(), options.text("processors"));
  });
  for (const ProcessorSpec& spec : specs) check_processor(findings, spec, options.env());
  return specs;
}

void tell_places(Findings& findings, const std::vector<ProcessorSpec>& specs,
                 const std::vector<store::Checkpoint>& places, const Reached& reached) {
  for (const store::Checkpoint& place : places) {
    const std::string processor = base::one_line(place.processor);
    const bool is_known = std::any_of(specs.begin(), specs.end(), [&](const ProcessorSpec& spec) {
      return spec.name == place.processor;
    });
    const std::string surprise = is_known && place.source == reached.name
                                     ? eventstore::ahead_of_end(place.revision, reached.last)
                                     : "";
    if (!surprise.empty()) {
      findings.warn("checkpoint of " + processor, surprise);
    } else if (is_known) {
      findings.ok("checkpoint of " + processor,
                  fmt::format("behind {} of {}", place_text(place), base::one_line(place.source)));
    } else {
      findings.warn("checkpoint of " + processor,
                    "no processor of the file has this name; was it renamed?");
    }
  }
}

void check_checkpoints(Findings& findings, const Options& options,
                       const std::vector<ProcessorSpec>& specs, const Reached& reached) {
  const std::string path = options.text("checkpoints");
  std::vector<store::Checkpoint> places;
  const bool is_right = findings.look("checkpoints", [&] {
    base::look_writable(path, true);
    const bool is_there = ::access(path.c_str(), F_OK) == 0;
    if (is_there) places = store::read_checkpoints(path);
    return is_there ? path + " can be read and written to" : path + " will be made";
  });
  if (is_right && !specs.empty()) tell_places(findings, specs, places, reached);
}

}  // namespace

int check_es_tail(const Options& options, EsJob job) {
  Findings findings(options.env(),
                    options.toggle("json") ? Findings::Form::lines : Findings::Form::text);
  Reached reached;
  if (job == EsJob::replay) {
    const std::string letters = options.values("stream").at(1);
    findings.look("dead letters", [&] {
      base::look_writable(letters, true);
      const bool is_there = ::access(letters.c_str(), F_OK) == 0;
      return letters + (is_there ? " can be read and written to" : " is not there: nothing to do");
    });
  } else {
    reached = check_source(findings, options);
  }
  std::vector<ProcessorSpec> specs;
  if (options.is_on("processors")) specs = check_processors(findings, options);
  if (options.is_on("checkpoints")) check_checkpoints(findings, options, specs, reached);
  if (options.is_on("output-file")) {
    findings.look("output file", [&] {
      base::look_writable(options.text("output-file"));
      return options.text("output-file") + " can be written to";
    });
  }
  return findings.end();
}

}  // namespace commands
