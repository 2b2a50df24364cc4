// The steps of an action; see run.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "azure/errors.hpp"
#include "azure/run.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace azure {

namespace {

constexpr size_t kShownBytes = 300;

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
  operation_ = begin_operation(*reply, arm_.cloud.arm);
  poll_ms_ = 0;
  if (operation_.is_over) return take_operation();
  if (job_.detach) return end(Outcome::detached);
  state_ = State::follow;
  return next_poll_ms(*reply);
}

Run::Wait Run::follow(const net::Http& http) {
  const auto reply = exchange_.step(http, get(next_url(operation_)));
  if (!reply) return exchange_.wait_ms();
  if (reply->status == kNotFound) throw forgotten();
  if (!is_success(*reply)) throw refusal_to_follow(*reply);
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

}  // namespace azure
