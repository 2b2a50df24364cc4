#include "commands/sending.hpp"

#include <fmt/format.h>

#include "commands/report.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

std::string ok_word(const std::vector<Sending>& sendings) {
  bool any = false;
  for (const Sending& sending : sendings) {
    if (sending.error) return "false";
    any = any || sending.receipt;
  }
  return any ? "true" : "";
}

void send_one(Sending& sending, const slack::Sender& sender, const slack::Line& line) {
  try {
    sending.receipt = slack::send(sender, sending.message, line);
  } catch (const base::Error& error) {
    const bool by_webhook = !sender.webhook.empty();
    const std::string place = by_webhook ? "" : sending.place + ": ";
    sending.error = base::Error(error.code(), place + error.what());
  }
}

}  // namespace

void send_all(std::vector<Sending>& sendings, const slack::Sender& sender, const slack::Line& line,
              const base::Env& env, const std::string& command) {
  for (Sending& sending : sendings) {
    send_one(sending, sender, line);
    if (sending.error) report_error(env, command, *sending.error);
    if (!sending.receipt) continue;
    for (const std::string& warning : sending.receipt->warnings) {
      report_notice(env, command, fmt::format("Slack warns: {}", warning));
    }
  }
}

json::Value results_json(const std::vector<Sending>& sendings) {
  json::Object results;
  for (const Sending& sending : sendings) {
    if (!sending.receipt && !sending.error) continue;  // a dry run
    json::Object result{{"ok", sending.receipt.has_value()}};
    if (sending.receipt) {
      result.push_back({"channel_id", sending.receipt->channel_id});
      result.push_back({"ts", sending.receipt->ts});
    }
    if (sending.error) result.push_back({"error", sending.error->what()});
    results.push_back({sending.place, std::move(result)});
  }
  return results;
}

std::string sent_text(const std::vector<Sending>& sendings) {
  std::string text;
  for (const Sending& sending : sendings) {
    if (!sending.receipt) continue;
    const auto& [channel_id, ts, thread_ts, warnings] = *sending.receipt;
    text += fmt::format("told {} of {}", sending.place, sending.subject);
    text += ts.empty() ? "\n" : fmt::format(" ({} {})\n", channel_id, ts);
  }
  return text;
}

std::string dry_run_json(const std::vector<Sending>& sendings) {
  std::string lines;
  for (const Sending& sending : sendings) {
    lines += json::write(slack::payload(sending.message)) + "\n";
  }
  return lines;
}

std::string dry_run_text(const std::vector<Sending>& sendings, bool styled) {
  std::string text;
  for (const Sending& sending : sendings) {
    text +=
        fmt::format("--- dry run, nothing is sent{}{}\n{}\n--- to see it as Slack shows it: {}\n",
                    sending.place.empty() ? "" : "; this would go to ", sending.place,
                    slack::shown(sending.message, styled), slack::builder_url(sending.message));
  }
  return text;
}

void write_sending_outputs(const base::Env& env, const std::vector<Sending>& sendings) {
  const bool sent = !sendings.empty() && sendings.front().receipt;
  const slack::Receipt first = sent ? *sendings.front().receipt : slack::Receipt{};
  write_output(env, "ok", ok_word(sendings));
  write_output(env, "channel_id", first.channel_id);
  write_output(env, "ts", first.ts);
  write_output(env, "thread_ts", first.thread_ts.empty() ? first.ts : first.thread_ts);
  write_output(env, "results", json::write(results_json(sendings)));
}

int exit_code_of(const std::vector<Sending>& sendings) {
  for (const Sending& sending : sendings) {
    if (sending.error) return sending.error->code();
  }
  return base::exit_ok;
}

}  // namespace commands
