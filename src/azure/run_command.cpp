#include "azure/run_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/write.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr int64_t kTimeoutMs = 60'000;
constexpr std::string_view kOutputMark = "[stdout]\n";
constexpr std::string_view kErrorsMark = "\n[stderr]\n";
constexpr size_t kChanceBytes = 16;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

net::HttpRequest request_to(const std::string& method, const std::string& url) {
  net::HttpRequest request;
  request.method = method;
  request.url = url;
  request.timeout_ms = kTimeoutMs;
  request.repeatable = method != "POST" && method != "PUT";
  return request;
}

net::HttpRequest with_json(net::HttpRequest request, const json::Value& body) {
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::write(body);
  return request;
}

std::string managed_url(const std::string& arm, const Machine& machine, const std::string& name,
                        const std::string& query) {
  return fmt::format("{}{}/runCommands/{}?{}api-version={}", arm, resource_path(machine),
                     net::percent_encode(name), query, kComputeVersion);
}

// Linux' message, of which only this text tells where the streams begin. Output may hold the same
// words: the first mark begins, and the last one divides.
void take_linux_message(ActionOutput& output, std::string_view message) {
  const size_t begin = message.find(kOutputMark);
  const size_t divide = message.rfind(kErrorsMark);
  if (begin == std::string_view::npos || divide == std::string_view::npos) {
    output.output += message;
    return;
  }
  const size_t from = std::min(begin + kOutputMark.size(), divide);
  output.output += message.substr(from, divide - from);
  output.errors += message.substr(divide + kErrorsMark.size());
}

std::string text_at(const json::Value* view, const char* name) {
  return view == nullptr ? "" : json::string_at(*view, name);
}

std::optional<int64_t> number_at(const json::Value* view, const char* name) {
  const json::Value* found = view == nullptr ? nullptr : json::find(*view, name);
  const auto* number = found == nullptr ? nullptr : std::get_if<int64_t>(&found->data);
  return number == nullptr ? std::nullopt : std::optional<int64_t>(*number);
}

}  // namespace

std::string command_id(Shell shell) {
  return shell == Shell::powershell ? kRunPowerShell : kRunShell;
}

net::HttpRequest action_request(const std::string& arm, const Machine& machine,
                                const std::string& command, const std::string& script,
                                const std::vector<Parameter>& parameters) {
  json::Object body{{"commandId", command}};
  if (!script.empty()) body.push_back({"script", json::Array{script}});
  json::Array list;
  for (const Parameter& parameter : parameters) {
    list.emplace_back(json::Object{{"name", parameter.name}, {"value", parameter.value}});
  }
  if (!list.empty()) body.push_back({"parameters", std::move(list)});
  const std::string url =
      fmt::format("{}{}/runCommand?api-version={}", arm, resource_path(machine), kComputeVersion);
  return with_json(request_to("POST", url), std::move(body));
}

ActionOutput read_action_output(const json::Value& result) {
  const json::Value* value =
      json::as_array(&result) != nullptr ? &result : json::find(result, "value");
  const json::Array* entries = json::as_array(value);
  if (entries == nullptr) {
    throw base::Error(base::exit_malformed_reply,
                      "Azure says that the run is over, but not what came of it");
  }
  ActionOutput output;
  for (const json::Value& entry : *entries) {
    const std::string code = json::string_at(entry, "code");
    const std::string message = json::string_at(entry, "message");
    output.all += message + "\n";
    output.failed = output.failed || base::lower_ascii(code).ends_with("/failed") ||
                    base::lower_ascii(json::string_at(entry, "level")) == "error";
    if (code.find("/StdOut/") != std::string::npos) {
      output.output += message;
    } else if (code.find("/StdErr/") != std::string::npos) {
      output.errors += message;
    } else {
      take_linux_message(output, message);
    }
  }
  return output;
}

net::HttpRequest managed_put(const std::string& arm, const Machine& machine,
                             const std::string& name, const ManagedRun& run) {
  json::Object properties{{"source", json::Object{{"script", run.script}}},
                          {"asyncExecution", true}};
  if (run.timeout_s > 0) properties.push_back({"timeoutInSeconds", run.timeout_s});
  if (!run.run_as_user.empty()) properties.push_back({"runAsUser", run.run_as_user});
  if (!run.run_as_password.empty()) properties.push_back({"runAsPassword", run.run_as_password});
  return with_json(request_to("PUT", managed_url(arm, machine, name, "")),
                   json::Object{{"location", run.location}, {"properties", std::move(properties)}});
}

net::HttpRequest managed_get(const std::string& arm, const Machine& machine,
                             const std::string& name) {
  return request_to("GET", managed_url(arm, machine, name, "$expand=instanceView&"));
}

net::HttpRequest managed_delete(const std::string& arm, const Machine& machine,
                                const std::string& name) {
  return request_to("DELETE", managed_url(arm, machine, name, ""));
}

ManagedState read_managed_state(const json::Value& reply) {
  const json::Value* view = json::find(reply, {"properties", "instanceView"});
  ManagedState state;
  state.state = base::shorten(base::one_line(text_at(view, "executionState")), 40);
  for (const char* word : {"succeeded", "failed", "timedout", "canceled"}) {
    state.is_over = state.is_over || base::lower_ascii(state.state) == word;
  }
  state.exit_code = number_at(view, "exitCode");
  state.message = base::one_line(text_at(view, "executionMessage"));
  state.output = text_at(view, "output");
  state.errors = text_at(view, "error");
  // Of one that could not even begin there is no view.
  const json::Value* properties = json::find(reply, "properties");
  const bool has_failed = base::lower_ascii(text_at(properties, "provisioningState")) == "failed";
  if (state.state.empty() && has_failed) {
    state.state = "Failed";
    state.is_over = true;
  }
  return state;
}

News news_of(std::string_view before, std::string_view now) {
  const bool was_whole = before.size() < kTailBytes;
  if (was_whole && now.starts_with(before)) return {std::string(now.substr(before.size())), false};
  // What Azure cut in the middle of a character begins with the sign for that.
  while (!before.empty() && now.starts_with(kReplacement)) now.remove_prefix(kReplacement.size());
  // The longest end of the old tail that the new one begins with. When one of half its length fits
  // too, it is the same line over and over, and how many came nobody can tell.
  // A few equal bytes are chance.
  size_t longest = 0;
  const size_t most = std::min(before.size(), now.size());
  for (size_t length = most; length > std::max(longest / 2, kChanceBytes); --length) {
    if (!now.starts_with(before.substr(before.size() - length))) continue;
    if (longest > 0) return {std::string(now.substr(longest)), true};
    longest = length;
  }
  return {std::string(now.substr(longest)), longest == 0};
}

}  // namespace azure
