#include "commands/sending.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "commands/report.hpp"
#include "json/write.hpp"
#include "slack/errors.hpp"
#include "slack/lookup.hpp"
#include "slack/preview.hpp"

namespace commands {

namespace {

constexpr int64_t kPaceMs = 1'000;

std::string ok_word(const std::vector<Sending>& sendings) {
  bool any = false;
  for (const Sending& sending : sendings) {
    if (sending.error) return "false";
    any = any || is_sent(sending);
  }
  return any ? "true" : "";
}

// "part 3 of 5: " and what became of the others.
std::string with_part(const Sending& sending, const std::string& text) {
  if (sending.calls.size() < 2) return text;
  const size_t taken = sending.receipts.size();
  const std::string before =
      fmt::format("; {} posted", taken == 1 ? "the one before it is" : "those before it are");
  return fmt::format("part {} of {}: {}{}", taken + 1, sending.calls.size(), text,
                     taken == 0 ? "" : before);
}

// The last line of a terminal, written over and over while a file is on its way.
slack::Progress upload_progress() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [](const slack::File& file, int64_t sent_bytes) {
    const double share =
        100.0 * static_cast<double>(sent_bytes) / static_cast<double>(file.body.bytes);
    report_state(fmt::format("{}: {:.0f} % of {:.1f} MiB", file.filename, share,
                             static_cast<double>(file.body.bytes) / (1 << 20)));
    if (sent_bytes == file.body.bytes) report_state("");
  };
}

// The channel of a call, when it is an ID: some replies do not repeat it.
std::string channel_in(const json::Object& arguments) {
  const json::Value call(arguments);
  for (const char* name : {"channel", "channel_id"}) {
    std::string channel = json::string_at(call, name);
    if (slack::is_id(channel)) return channel;
  }
  return "";
}

void send_calls(Sending& sending, const slack::Sender& sender, const slack::Line& line) {
  if (!sending.files.empty()) {
    json::Array files = slack::upload(sender, sending.files, line, upload_progress());
    sending.calls.front().arguments.push_back({"files", std::move(files)});
  }
  for (slack::Call& call : sending.calls) {
    if (!sending.receipts.empty()) {
      line.clock.sleep_ms(kPaceMs);
      const json::Value arguments(call.arguments);
      const bool has_thread = json::find(arguments, "thread_ts") != nullptr;
      const bool begins_one = sending.in_thread && !has_thread;
      if (begins_one) call.arguments.push_back({"thread_ts", sending.receipts.front().ts});
    }
    slack::Receipt receipt = slack::send(sender, call, line);
    if (receipt.channel_id.empty()) receipt.channel_id = channel_in(call.arguments);
    sending.response = receipt.response;
    sending.receipts.push_back(std::move(receipt));
  }
}

void send_one(Sending& sending, const slack::Sender& sender, const slack::Line& line) {
  const std::string place = sender.webhook.empty() ? sending.place : "";
  const std::string prefix = place.empty() ? "" : place + ": ";
  try {
    send_calls(sending, sender, line);
  } catch (const slack::Refused& error) {
    sending.response = error.refusal().response;
    sending.error = base::Error(error.code(), prefix + with_part(sending, error.what()));
  } catch (const base::Error& error) {
    sending.error = base::Error(error.code(), prefix + with_part(sending, error.what()));
  }
}

// "a.log (12 bytes)", a line for each.
std::string shown_files(const Sending& sending) {
  std::string text;
  for (const slack::File& file : sending.files) {
    text += fmt::format("{} ({} bytes)\n", file.filename, file.body.bytes);
  }
  return text;
}

}  // namespace

bool is_sent(const Sending& sending) {
  return !sending.error && !sending.receipts.empty();
}

void send_all(std::vector<Sending>& sendings, const slack::Sender& sender, const slack::Line& line,
              const base::Env& env, const std::string& command) {
  for (Sending& sending : sendings) {
    if (!sending.error) send_one(sending, sender, line);
    if (sending.error) report_error(env, command, *sending.error);
    for (const slack::Receipt& receipt : sending.receipts) {
      for (const std::string& warning : receipt.warnings) {
        report_notice(env, command, fmt::format("Slack warns: {}", warning));
      }
    }
  }
}

json::Value results_json(const std::vector<Sending>& sendings) {
  json::Object results;
  for (const Sending& sending : sendings) {
    if (sending.receipts.empty() && !sending.error) continue;  // a dry run
    json::Object result{{"ok", is_sent(sending)}};
    if (!sending.receipts.empty()) {
      result.push_back({"channel_id", sending.receipts.front().channel_id});
      result.push_back({"ts", sending.receipts.front().ts});
    }
    json::Array parts;
    for (const slack::Receipt& receipt : sending.receipts) parts.emplace_back(receipt.ts);
    if (sending.calls.size() > 1) result.push_back({"parts", std::move(parts)});
    if (sending.error) result.push_back({"error", sending.error->what()});
    results.push_back({sending.place, std::move(result)});
  }
  return results;
}

std::string sent_text(const std::vector<Sending>& sendings) {
  std::string text;
  for (const Sending& sending : sendings) {
    if (!is_sent(sending)) continue;
    const slack::Receipt& first = sending.receipts.front();
    text += sending.done;
    const std::string where = base::trim(first.channel_id + " " + first.ts);
    text += where.empty() ? "\n" : fmt::format(" ({})\n", where);
  }
  return text;
}

std::string dry_run_json(const std::vector<Sending>& sendings) {
  std::string lines;
  for (const Sending& sending : sendings) {
    for (const slack::Call& call : sending.calls) lines += json::write(call.arguments) + "\n";
  }
  return lines;
}

std::string dry_run_text(const std::vector<Sending>& sendings, bool styled) {
  std::string text;
  for (const Sending& sending : sendings) {
    for (const slack::Call& call : sending.calls) {
      text += fmt::format("--- dry run, nothing is sent{}{}{}\n{}{}\n",
                          sending.place.empty() ? "" : "; this would go to ", sending.place,
                          call.method == slack::kPostMessage ? "" : " by " + call.method,
                          shown_files(sending), slack::shown(call.arguments, styled));
      const std::string url = slack::builder_url(call.arguments);
      if (!url.empty()) text += fmt::format("--- to see it as Slack shows it: {}\n", url);
    }
  }
  return text;
}

void print_sendings(const std::vector<Sending>& sendings, bool dry_run, bool as_json,
                    const base::Env& env) {
  const bool styled = ::isatty(STDOUT_FILENO) == 1 && env("NO_COLOR").empty();
  if (dry_run && as_json) {
    print_json(env, dry_run_json(sendings));
  } else if (dry_run) {
    print_text(env, dry_run_text(sendings, styled));
  } else if (as_json) {
    print_json(env, json::write(results_json(sendings)) + "\n");
  } else {
    print_text(env, sent_text(sendings));
  }
}

void tell_all(const std::vector<std::function<void()>>& tellings) {
  std::optional<base::Error> first;
  for (const auto& tell : tellings) {
    try {
      tell();
    } catch (const base::Error& error) {
      if (!first) first = error;
    }
  }
  if (first) throw base::Error(*first);
}

void write_sending_outputs(const base::Env& env, const std::vector<Sending>& sendings) {
  const Sending none;
  const Sending& sending = sendings.empty() ? none : sendings.front();
  const slack::Receipt first =
      sending.receipts.empty() ? slack::Receipt{} : sending.receipts.front();
  write_output(env, "ok", ok_word(sendings));
  write_output(env, "channel_id", first.channel_id);
  write_output(env, "ts", first.ts);
  write_output(env, "thread_ts", first.thread_ts.empty() ? first.ts : first.thread_ts);
  write_output(env, "response", sending.response);
  write_output(env, "time", std::to_string(base::real_clock().unix_s()));
  write_output(env, "results", json::write(results_json(sendings)));
}

int exit_code_of(const std::vector<Sending>& sendings) {
  for (const Sending& sending : sendings) {
    if (sending.error) return sending.error->code();
  }
  return base::exit_ok;
}

}  // namespace commands
