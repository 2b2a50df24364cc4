#include "azure/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "azure/errors.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr int64_t kFirstPollMs = 1'000;
constexpr int kNotFound = 404;
constexpr size_t kShownBytes = 300;

base::Error with_words(const base::Error& error, const std::string& words) {
  return {error.code(), error.what() + words};
}

int64_t bytes_of(const Captured& captured) {
  return static_cast<int64_t>(captured.bytes.size());
}

// Adds what goes on where it ends; the first part begins it.
void append(Captured& captured, const Stream& stream) {
  for (const StreamPart& part : stream.parts) {
    if (captured.bytes.empty()) captured.offset = part.offset;
    if (part.offset == captured.offset + bytes_of(captured)) captured.bytes += part.bytes;
  }
  captured.total_bytes = stream.total_bytes;
  captured.is_cut = bytes_of(captured) < stream.total_bytes;
}

Captured unwrapped(const std::string& bytes) {
  return {bytes, 0, std::nullopt, bytes.size() >= kTailBytes};
}

}  // namespace

Run::Run(const Arm& arm, const Job& job, Machine machine, std::string id)
    : arm_(arm),
      job_(job),
      machine_(std::move(machine)),
      id_(std::move(id)),
      exchange_(arm, short_name(machine_)) {
  if (job_.script) shell_ = job_.script->shell;
  if (job_.script && !job_.raw) nonce_ = id_;
}

Run::Run(const Arm& arm, const Job& job, const Ticket& ticket)
    : Run(arm, job, ticket.machine, ticket.nonce) {
  take(ticket);
}

void Run::take(const Ticket& ticket) {
  shell_ = ticket.shell;
  nonce_ = ticket.nonce;
  managed_name_ = ticket.managed_name;
  state_ = managed_name_.empty() ? State::follow : State::view;
  const std::string here = net::origin(arm_.cloud.arm);
  if (ticket.arm != here) {
    throw base::Error(base::exit_bad_input,
                      fmt::format("the token belongs to {}, not to {}; give --cloud or "
                                  "--arm-endpoint as when it was made",
                                  base::one_line(ticket.arm), here));
  }
  if (managed_name_.empty()) {
    net::HttpResponse accepted;
    accepted.status = 202;
    if (!ticket.status_url.empty()) {
      accepted.headers.emplace_back("azure-asyncoperation", ticket.status_url);
    }
    if (!ticket.result_url.empty()) accepted.headers.emplace_back("location", ticket.result_url);
    operation_ = begin_operation(accepted, arm_.cloud.arm);
  }
  is_started_ = true;
}

std::optional<Ticket> Run::ticket() const {
  const bool can_be_followed = !managed_name_.empty() || !next_url(operation_).empty();
  if (!is_started_ || is_fetching_ || !can_be_followed) return std::nullopt;
  Ticket ticket;
  ticket.arm = net::origin(arm_.cloud.arm);
  ticket.machine = machine_;
  ticket.shell = shell_;
  ticket.nonce = nonce_;
  ticket.full_output = job_.full_output;
  ticket.status_url = operation_.status_url;
  ticket.result_url = operation_.result_url;
  ticket.managed_name = managed_name_;
  return ticket;
}

Run::Wait Run::step(const net::Http& http) {
  if (state_ == State::over) return std::nullopt;
  if (began_ms_ < 0) began_ms_ = arm_.clock.monotonic_ms();
  try {
    check_time();
    const Wait wait_ms = take_step(http);
    return wait_ms ? std::min(*wait_ms, left_ms()) : wait_ms;
  } catch (const base::Error& error) {
    if (error.code() == base::exit_interrupted) return 0;  // the step was not done
    return fail(error);
  }
}

Run::Wait Run::take_step(const net::Http& http) {
  switch (state_) {
    case State::look:
      return look(http);
    case State::start:
      return start(http);
    case State::follow:
      return follow(http);
    case State::put:
      return put(http);
    case State::unclear:
      return ask_if_there(http);
    case State::view:
      return view(http);
    case State::remove:
      return remove(http);
    case State::over:
      break;
  }
  return std::nullopt;
}

// Of --timeout; what was begun is ended properly all the same.
int64_t Run::left_ms() const {
  if (state_ == State::remove) return INT64_MAX;
  return std::max<int64_t>(began_ms_ + job_.timeout_ms - arm_.clock.monotonic_ms(), 0);
}

void Run::check_time() {
  if (left_ms() > 0) return;
  const bool was_started = is_started_ || is_fetching_;
  const base::Error late(
      base::exit_retries_spent,
      fmt::format("not {} {} (--timeout)", was_started ? "over after" : "started within",
                  base::duration(job_.timeout_ms)));
  if (state_ == State::view || state_ == State::unclear) {
    cancel(late);
    result_.is_cut_short = false;
  } else {
    throw base::Error(late);
  }
}

// What is sent, is known when the machine's system is; a managed run also needs its location.
Run::Wait Run::look(const net::Http& http) {
  const bool knows_system = job_.shell_known || machine_.system != System::unknown;
  const bool knows_location = !job_.managed || !machine_.location.empty();
  if (!knows_system || !knows_location) {
    const auto reply = exchange_.step(http, get(arm_.cloud.arm + machine_path(machine_)));
    if (!reply) return exchange_.wait_ms();
    if (!is_success(*reply)) throw refusal(*reply, "tell what machine this is");
    const Machine found = read_machine(body_of(*reply));
    machine_.system = found.system;
    machine_.location = found.location;
  }
  compose();
  state_ = job_.managed ? State::put : State::start;
  return 0;
}

void Run::compose() {
  if (!job_.script) return;
  Script script = *job_.script;
  if (!job_.shell_known && machine_.system == System::unknown) {
    throw base::Error(base::exit_malformed_reply,
                      "Azure does not tell the machine's system; say --shell sh or powershell");
  }
  if (!job_.shell_known) {
    script.shell = machine_.system == System::windows ? Shell::powershell : Shell::sh;
  }
  shell_ = script.shell;
  if (job_.raw) {
    to_send_ = script.text;
  } else if (job_.managed) {
    to_send_ = wrap(script, id_, Output::plain);
  } else {
    to_send_ = wrap(script, id_, job_.full_output ? Output::framed_from_start : Output::framed);
  }
}

Run::Wait Run::start(const net::Http& http) {
  const std::string command = job_.command.empty() ? command_id(shell_) : job_.command;
  const net::HttpRequest request =
      action_request(arm_.cloud.arm, machine_, command, to_send_, job_.raw_parameters);
  arm_.tokens->token();  // so that what fails below is the start
  std::optional<net::HttpResponse> reply;
  try {
    reply = exchange_.step(http, request);
  } catch (const net::HttpError& error) {
    is_started_ = is_unclear(error);
    throw;
  }
  if (!reply) return exchange_.wait_ms();
  if (is_busy(*reply)) return wait_for_other(*reply);
  is_started_ = is_success(*reply) || is_unclear(*reply);
  if (is_unclear(*reply)) {
    throw with_words(refusal(*reply, "say whether it took the script"),
                     "; the script may be running: look before you run it again");
  }
  if (!is_success(*reply)) throw refusal(*reply, "start the script");
  ++result_.runs;
  operation_ = begin_operation(*reply, arm_.cloud.arm);
  poll_ms_ = 0;
  if (operation_.is_over) return take_operation();
  if (job_.detach) return end(Outcome::detached);
  state_ = State::follow;
  return next_poll_ms(*reply);
}

Run::Wait Run::wait_for_other(const net::HttpResponse& reply) {
  const int64_t now_ms = arm_.clock.monotonic_ms();
  if (busy_since_ms_ < 0) {
    busy_since_ms_ = now_ms;
    if (job_.wait_conflict_ms > 0) {
      job_.on_notice(machine_, "another script runs there; waiting for its end");
    }
  }
  const int64_t wait_ms = next_poll_ms(reply);
  if (now_ms + wait_ms - busy_since_ms_ <= job_.wait_conflict_ms) return wait_ms;
  throw with_words(
      refusal(reply, "start the script"),
      fmt::format("; waited {} for it (--wait-conflict)", base::duration(now_ms - busy_since_ms_)));
}

base::Error Run::forgotten() {
  operation_ = {};  // there is nothing to attach to
  managed_name_.clear();
  return {base::exit_missing_input,
          "Azure no longer knows the run; look on the machine what became of it"};
}

Run::Wait Run::follow(const net::Http& http) {
  const auto reply = exchange_.step(http, get(next_url(operation_)));
  if (!reply) return exchange_.wait_ms();
  if (reply->status == kNotFound) throw forgotten();
  if (!is_success(*reply)) throw refusal(*reply, "tell how the script goes");
  const bool had_status_url = !operation_.status_url.empty();
  advance(operation_, *reply);
  if (operation_.is_over) return take_operation();
  const bool only_result_is_missing = had_status_url && operation_.status_url.empty();
  return only_result_is_missing ? 0 : next_poll_ms(*reply);
}

Run::Wait Run::take_operation() {
  is_started_ = false;
  if (!succeeded(operation_)) throw operation_failure(operation_.state, operation_.fault);
  const ActionOutput output = read_action_output(operation_.result);
  if (nonce_.empty()) {
    result_.output = unwrapped(output.output);
    result_.errors = unwrapped(output.errors);
    return end(output.failed ? Outcome::failed : Outcome::succeeded);
  }
  const std::optional<Report> report = read_report(output.all, nonce_);
  if (report) return take_report(*report);
  // The reason stands at the end, on standard error.
  std::string words = base::one_line(base::trim(output.all));
  if (words.size() > kShownBytes) {
    words = "…" + base::repair_utf8(words.substr(words.size() - kShownBytes));
  }
  throw base::Error(base::exit_malformed_reply,
                    fmt::format("the script's exit code did not come back; Azure shows: {}",
                                words.empty() ? "nothing" : words));
}

Run::Wait Run::take_report(const Report& report) {
  const int64_t had_bytes = bytes_of(result_.output) + bytes_of(result_.errors);
  append(result_.output, report.out);
  append(result_.errors, report.err);
  const int64_t came_bytes = bytes_of(result_.output) + bytes_of(result_.errors) - had_bytes;
  if (!is_fetching_) {
    if (!report.exit_code) {
      throw base::Error(base::exit_malformed_reply,
                        "the script's exit code came back damaged; please report this");
    }
    result_.exit_code = report.exit_code;
    result_.outcome = *report.exit_code == 0 ? Outcome::succeeded : Outcome::failed;
  }
  const bool is_cut = result_.output.is_cut || result_.errors.is_cut;
  if (!job_.full_output || !is_cut) return end(result_.outcome);
  if (came_bytes == 0 && is_fetching_) {
    throw base::Error(base::exit_malformed_reply, "a run that was to fetch output brought nothing");
  }
  return fetch_more(came_bytes);
}

// Starts the next run that brings what was kept on the machine.
Run::Wait Run::fetch_more(int64_t came_bytes) {
  if (!is_fetching_) {
    const int64_t all =
        result_.output.total_bytes.value_or(0) + result_.errors.total_bytes.value_or(0);
    const int64_t a_run = std::max<int64_t>(came_bytes, 1);
    job_.on_notice(machine_, fmt::format("{} of {} bytes came; fetching the others takes about {} "
                                         "more runs of 20 s or more (--full-output)",
                                         came_bytes, all, (all - came_bytes + a_run - 1) / a_run));
  }
  is_fetching_ = true;
  busy_since_ms_ = -1;
  poll_ms_ = 0;
  to_send_ = fetch(shell_, nonce_, bytes_of(result_.output), bytes_of(result_.errors));
  state_ = State::start;
  return 0;
}

int64_t Run::next_poll_ms(const net::HttpResponse& reply) {
  poll_ms_ = poll_ms_ == 0 ? kFirstPollMs : poll_ms_ * 3 / 2;
  poll_ms_ = std::min(poll_ms_, job_.longest_poll_ms);
  return std::max(poll_ms_, asked_wait_ms(reply, arm_.clock.unix_s()));
}

Run::Wait Run::fail(const base::Error& error) {
  if (is_fetching_) {  // the result is known; only a part of its output is missing
    result_.rest_error = error;
    result_.notices.push_back(
        fmt::format("the rest of the output was not fetched: {}; it is left on the machine in {}",
                    error.what(), folder_there()));
    is_started_ = false;
    return end(result_.outcome);
  }
  if (!result_.error) result_.error = error;
  return end(is_started_ ? Outcome::unfinished : Outcome::error);
}

Run::Wait Run::end(Outcome outcome) {
  result_.outcome = outcome;
  result_.seconds = (arm_.clock.monotonic_ms() - began_ms_) / 1000;
  state_ = State::over;
  return std::nullopt;
}

bool Run::cancel(const base::Error& why) {
  if (state_ == State::over) return false;
  result_.is_cut_short = true;
  exchange_ = Exchange(arm_, short_name(machine_));
  if (state_ == State::remove) return true;
  if (state_ == State::view || state_ == State::unclear) {
    result_.error = why;
    result_.outcome = Outcome::unfinished;
    state_ = State::remove;
    return true;
  }
  if (is_started_ || is_fetching_) {
    fail(with_words(why, is_fetching_ ? "" : "; the script goes on"));
  } else if (began_ms_ >= 0) {
    fail(with_words(why, "; the script was not started"));
  }
  return false;
}

// Where the wrapper keeps what it needs.
std::string Run::folder_there() const {
  const std::string name = fmt::format("{}-{}", PRODUCT_NAME, id_);
  return shell_ == Shell::powershell ? name + " of its temporary folder" : "/tmp/" + name;
}

void Run::abandon() {
  if (state_ == State::over) return;
  result_.notices.push_back(
      fmt::format("the run command {} may be left on the machine", managed_name_));
  end(result_.outcome);
}

void Run::forget_output() {
  for (Captured* captured : {&result_.output, &result_.errors}) {
    captured->bytes.clear();
    captured->bytes.shrink_to_fit();
  }
}

}  // namespace azure
