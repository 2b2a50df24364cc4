// The steps of a managed run command; see run.hpp.
#include <fmt/format.h>

#include "azure/errors.hpp"
#include "azure/run.hpp"
#include "base/text.hpp"

namespace azure {

namespace {

constexpr int64_t kMarginS = 60;  // Azure ends the script by itself, but only after we did

}  // namespace

// It has a name of its own, so when the reply is lost, Azure can be asked whether it is there.
Run::Wait Run::put(const net::Http& http) {
  const std::string name = fmt::format("{}-{}", PRODUCT_NAME, id_);
  ManagedRun run;
  run.script = to_send_;
  run.location = machine_.location;
  run.run_as_user = job_.run_as_user;
  run.run_as_password = job_.run_as_password;
  run.timeout_s = job_.timeout_ms / 1000 + kMarginS;
  arm_.tokens->token();  // so that what fails below is the start
  std::optional<net::HttpResponse> reply;
  try {
    reply = exchange_.step(http, managed_put(arm_.cloud.arm, machine_, name, run));
  } catch (const net::HttpError& error) {
    if (!is_unclear(error)) throw;
    why_ = error;
  }
  if (!reply && !why_) return exchange_.wait_ms();
  if (reply && is_busy(*reply)) return wait_for_other(*reply);
  if (reply && is_unclear(*reply)) why_ = refusal(*reply, "start the script");
  if (!why_ && !is_success(*reply)) throw refusal(*reply, "start the script");
  managed_name_ = name;
  if (why_) {
    state_ = State::unclear;
    return 0;
  }
  is_started_ = true;
  if (job_.detach) return end(Outcome::detached);
  state_ = State::view;
  return next_poll_ms(*reply);
}

Run::Wait Run::ask_if_there(const net::Http& http) {
  const auto reply = exchange_.step(http, managed_get(arm_.cloud.arm, machine_, managed_name_));
  if (!reply) return exchange_.wait_ms();
  if (reply->status == kNotFound) throw base::Error(*why_);
  is_started_ = true;
  if (!is_success(*reply)) {
    throw base::Error(why_->code(), fmt::format("{}; the script may be running", why_->what()));
  }
  if (job_.detach) return end(Outcome::detached);
  state_ = State::view;
  return 0;
}

Run::Wait Run::view(const net::Http& http) {
  const auto reply = exchange_.step(http, managed_get(arm_.cloud.arm, machine_, managed_name_));
  if (!reply) return exchange_.wait_ms();
  if (reply->status == kNotFound) throw forgotten();
  if (!is_success(*reply)) throw refusal_to_follow(*reply);
  const ManagedState now = read_managed_state(body_of(*reply));
  tell_news(now);
  return now.is_over ? end_view(now) : next_poll_ms(*reply);
}

void Run::tell_news(const ManagedState& now) {
  const auto tell = [this](Captured& stream, bool is_errors, const News& news) {
    if (news.text.empty()) return;
    if (news.has_gap) {
      job_.on_notice(machine_, fmt::format("more was written to {} than Azure keeps: a part is "
                                           "missing here",
                                           is_errors ? "standard error" : "standard output"));
    }
    stream.is_cut = stream.is_cut || news.has_gap;
    stream.bytes += news.text;
    job_.on_output(machine_, is_errors, news.text);
  };
  // Of the first look at a full tail nobody can tell what came before it.
  const bool is_first = seen_.state.empty();
  result_.output.is_cut = result_.output.is_cut || (is_first && now.output.size() >= kTailBytes);
  result_.errors.is_cut = result_.errors.is_cut || (is_first && now.errors.size() >= kTailBytes);
  tell(result_.output, false, news_of(seen_.output, now.output));
  tell(result_.errors, true, news_of(seen_.errors, now.errors));
  seen_ = now;
}

Run::Wait Run::end_view(const ManagedState& now) {
  is_started_ = false;
  result_.exit_code = now.exit_code;
  const std::string word = base::lower_ascii(now.state);
  const std::string why = now.message.empty() ? "" : ": " + now.message;
  if (word == "timedout") {
    result_.error = base::Error(base::exit_retries_spent, "Azure ended it at its time-out" + why);
    result_.outcome = Outcome::error;
  } else if (word == "canceled") {
    result_.error = base::Error(base::exit_unavailable, "it was cancelled" + why);
    result_.outcome = Outcome::error;
  } else if (now.exit_code.value_or(0) != 0) {
    result_.outcome = Outcome::failed;
  } else if (word == "failed") {
    result_.error = base::Error(base::exit_unavailable, "Azure could not run the script" + why);
    result_.outcome = Outcome::error;
  } else {
    result_.outcome = Outcome::succeeded;
  }
  state_ = State::remove;
  return 0;
}

Run::Wait Run::remove(const net::Http& http) {
  std::string failure;
  try {
    const auto reply =
        exchange_.step(http, managed_delete(arm_.cloud.arm, machine_, managed_name_));
    if (!reply) return exchange_.wait_ms();
    const bool is_gone = is_success(*reply) || reply->status == kNotFound;
    if (!is_gone) failure = refusal(*reply, "delete the run command").what();
  } catch (const base::Error& error) {
    if (error.code() == base::exit_interrupted) throw;
    failure = error.what();
  }
  if (failure.empty()) {
    is_started_ = false;
    const bool was_ended = result_.outcome == Outcome::unfinished && !nonce_.empty();
    if (was_ended) {  // together with the wrapper that would have removed it
      result_.notices.push_back("the script's text may be left on the machine in " +
                                folder_there());
    }
  } else {
    result_.notices.push_back(
        fmt::format("the run command {} is left on the machine: {}", managed_name_, failure));
  }
  return end(result_.outcome);
}

}  // namespace azure
