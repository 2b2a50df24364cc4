#include "azure/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "azure/errors.hpp"
#include "azure/retry.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr int64_t kFirstPollMs = 1'000;

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
