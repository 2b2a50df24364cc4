#include "azure/errors.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/utf8.hpp"
#include "json/read.hpp"

namespace azure {

namespace {

constexpr size_t kShownChars = 600;
constexpr int kRequestTimeout = 408;

base::ExitCode code_of(int status) {
  if (status == 401 || status == 403) return base::exit_refused;
  if (status == 404) return base::exit_missing_input;
  if (status < 400) return base::exit_malformed_reply;
  if (status == 400 || status == 413) return base::exit_bad_input;
  if (status == 408 || status == 429 || status >= 500) return base::exit_retries_spent;
  return base::exit_unavailable;
}

bool needs_running(const Fault& fault) {
  return fault.message.find("requires the VM to be running") != std::string::npos ||
         fault.message.find("when the VM is not running") != std::string::npos;
}

// Azure names both: whom the command is for, and what the machine runs.
bool is_for_another_system(const Fault& fault) {
  const auto names = [&fault](const char* system) {
    return fault.message.find(system) != std::string::npos;
  };
  return names("Linux") && names("Windows");
}

// What to do about it; "" when Azure's own words are all there is.
std::string remedy(int status, const Fault& fault) {
  if (status < 400) return "; check --arm-endpoint, and what stands between";
  if (status == 401) return "; sign in as somebody of this tenant";
  if (status == 403 && fault.code.find("AuthorizationFailed") != std::string::npos) {
    return "; give the role Virtual Machine Contributor on the resource group to who signs in (on "
           "the machine alone it can start a script, but not follow it)";
  }
  if (fault.code == "SubscriptionNotFound") return "; check --subscription";
  if (status == 404) return "; check --subscription, --resource-group and --name";
  if (needs_running(fault)) return "; start the machine first";
  if (is_for_another_system(fault)) {
    return "; without --shell and --command-id the machine is asked what it runs";
  }
  if (status == 429) return "; run on fewer machines at a time (--concurrency)";
  return "";
}

}  // namespace

Fault read_fault(const json::Value& reply) {
  const json::Value* error = json::find(reply, "error");
  if (error == nullptr) return {};
  return {base::one_line(json::string_at(*error, "code")),
          base::shorten(base::one_line(json::string_at(*error, "message")), kShownChars)};
}

Fault read_fault(const net::HttpResponse& reply) {
  const std::optional<json::Value> body = json::try_parse(reply.body);
  return body ? read_fault(*body) : Fault{};
}

base::Error refusal(const net::HttpResponse& reply, const std::string& doing) {
  const Fault fault = read_fault(reply);
  const std::string words =
      fault.code.empty() && fault.message.empty()
          ? fmt::format("HTTP {}", reply.status)
          : fmt::format("{}: {} (HTTP {})", fault.code, fault.message, reply.status);
  return {code_of(reply.status),
          fmt::format("Azure did not {}: {}{}", doing, words, remedy(reply.status, fault))};
}

base::Error refusal_to_follow(const net::HttpResponse& reply) {
  base::Error error = refusal(reply, "tell how the script goes");
  if (error.code() != base::exit_bad_input) return error;
  return {base::exit_unavailable, error.what()};  // what the user gave was good: the script runs
}

base::Error with_words(const base::Error& error, const std::string& words) {
  return {error.code(), error.what() + words};
}

base::Error operation_failure(const std::string& state, const Fault& fault) {
  const std::string code = fault.code.empty() ? "no reason given" : fault.code;
  return {base::exit_unavailable, fmt::format("Azure's operation ended as {}: {}{}{}", state, code,
                                              fault.message.empty() ? "" : ": ", fault.message)};
}

bool is_unclear(const net::HttpResponse& reply) {
  return reply.status >= 500 || reply.status == kRequestTimeout;
}

bool is_unclear(const net::HttpError& error) {
  const bool is_lost =
      error.code() == base::exit_retries_spent || error.code() == base::exit_malformed_reply;
  return is_lost && !error.safe_to_retry;
}

bool is_busy(const net::HttpResponse& reply) {
  if (reply.status != 409) return false;
  const Fault fault = read_fault(reply);
  return !needs_running(fault) && fault.message.find("in progress") != std::string::npos;
}

}  // namespace azure
