#include "commands/es_stage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "commands/clear_text.hpp"
#include "commands/es_options.hpp"
#include "commands/report.hpp"
#include "eventstore/event_json.hpp"
#include "github/actions.hpp"
#include "net/curl.hpp"
#include "net/loopback.hpp"

namespace commands {

namespace {

constexpr int64_t kLastWaitMs = 5'000;

// All but the connection string, which may hold a password that is no business of theirs.
std::vector<std::string> variables_for_programs() {
  std::vector<std::string> variables = base::process_variables();
  std::erase_if(variables, [](const std::string& variable) {
    return variable.starts_with("ES_URL=") || variable.starts_with("INPUT_URL=");
  });
  return variables;
}

}  // namespace

EsStage::EsStage(const Options& options)
    : env_(options.env()),
      clock_(base::real_clock()),
      drain_ms_(options.duration_ms("drain-timeout", 0)),
      fails_fast_(options.toggle("fail-fast")),
      outlet_(env_, STDOUT_FILENO, [this] { return is_stopped(); }) {}

void EsStage::equip(eventstore::RunnerOptions& runner) {
  runner.clock = clock_;
  runner.around = [this] { return surroundings(); };
  runner.stop = [this] { return is_stopped(); };
  runner.on_loss = [](const std::string& text) { report_progress(kEsTail, text); };
}

bool EsStage::is_stopped() const {
  return base::stop_asked() || ends_;
}

// The time is over that a stop leaves for what has begun. It runs from the first look.
bool EsStage::is_over() {
  if (!is_stopped()) return false;
  int64_t none = 0;
  const int64_t now_ms = clock_.monotonic_ms();
  over_ms_.compare_exchange_strong(none, now_ms + drain_ms_);
  return now_ms >= over_ms_;
}

// What is not written does not count as done.
void EsStage::print(std::string_view line) {
  const std::lock_guard lock(print_mutex_);
  outlet_.take(fmt::format("{}\n", line));
  if (outlet_.is_behind()) throw base::Error(base::exit_local_io, "nobody reads standard output");
}

eventstore::Surroundings EsStage::surroundings() {
  eventstore::Surroundings around;
  const net::Http http = net::curl_http({PRODUCT_NAME "/" PRODUCT_VERSION, env_, ""});
  around.http = [http, this](net::HttpRequest request) {
    request.on_progress = [this](int64_t /*sent_bytes*/) {
      if (is_over()) throw base::Error(base::exit_interrupted, "a stop was asked for");
    };
    warn_of_clear_text(request);
    return http(request);
  };
  around.clock = clock_;
  around.env = env_;
  around.stop = [this] { return is_over(); };
  around.print = [this](std::string_view line) { print(line); };
  // The outlet changes what a runner would obey, too, but knows of no JSON.
  around.event_line = [for_runner = in_actions(env_)](const eventstore::Event& event,
                                                      std::string& to) {
    const size_t start = to.size();
    eventstore::append_event_json(event, to);
    if (for_runner) to.replace(start, to.npos, github::unobeyed_json(to.substr(start)));
  };
  around.environment = variables_for_programs();
  return around;
}

// Once for all: of the secrets of a webhook those are known that stand in this header.
void EsStage::warn_of_clear_text(const net::HttpRequest& request) {
  const bool has_secret = std::ranges::any_of(request.headers, [](const auto& header) {
    return base::lower_ascii(header.first) == "authorization";
  });
  if (!has_secret || !net::is_in_clear(request.url) || is_warned_.exchange(true)) return;
  commands::warn_of_clear_text(env_, kEsTail, "the webhook's Authorization", request.url);
}

void EsStage::tell_failure(const std::string& name, const base::Error& error, bool is_alone) {
  if (fails_fast_) ends_ = true;
  const bool others_go_on = !is_alone && !is_stopped();
  report_error(env_, kEsTail,
               {error.code(), fmt::format("{}: {}{}", name, error.what(),
                                          others_go_on ? " (the others go on)" : "")});
}

std::vector<EsStage::Ended> EsStage::run(std::vector<eventstore::RunnerOptions> all) {
  std::vector<Ended> ended(all.size());
  std::vector<std::unique_ptr<eventstore::Runner>> runners;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < all.size(); ++i) {
    ended[i].name = all[i].spec.name;
    runners.push_back(std::make_unique<eventstore::Runner>(std::move(all[i])));
  }
  for (size_t i = 0; i < runners.size(); ++i) {
    threads.emplace_back([this, &ended, &runners, i] {
      ended[i].error = runners[i]->run();
      if (ended[i].error) tell_failure(ended[i].name, *ended[i].error, runners.size() == 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < runners.size(); ++i) {
    ended[i].done = runners[i]->done();
    ended[i].given_up = runners[i]->given_up();
    ended[i].place = runners[i]->place();
  }
  const std::lock_guard lock(print_mutex_);
  try {
    outlet_.end(clock_, kLastWaitMs);
  } catch (const base::Error&) {
    if (exit_code_of(ended) == base::exit_ok) throw;  // else it is told what went wrong
  }
  return ended;
}

int exit_code_of(const std::vector<EsStage::Ended>& all) {
  std::optional<int> code;
  for (const EsStage::Ended& one : all) {
    const int own = one.error ? one.error->code() : base::exit_ok;
    if (code && *code != own) return base::exit_answer_no;
    code = own;
  }
  return code.value_or(base::exit_ok);
}

}  // namespace commands
