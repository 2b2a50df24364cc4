#include "azure/operation.hpp"

#include <fmt/format.h>

#include "azure/arm.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/read.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr int kAccepted = 202;

// The token goes where the URL points to, so that may be nowhere but Azure Resource Manager.
void check_origin(const std::string& url, const std::string& arm) {
  if (url.empty() || net::origin(url) == net::origin(arm)) return;
  const std::string place = net::origin(url);
  throw base::Error(
      base::exit_malformed_reply,
      fmt::format("Azure tells to follow the operation at {}, but it was asked at "
                  "{}; no token is sent there; the script may be running",
                  place.empty() ? "an address that is none" : place, net::origin(arm)));
}

bool is_word(const std::string& state, const char* word) {
  return base::lower_ascii(state) == word;
}

// The state of an operation that may be over; of a resource that was written too.
void take_status(Operation& operation, const json::Value& status) {
  operation.state = base::shorten(base::one_line(json::string_at(status, "status")), 40);
  if (operation.state.empty()) {
    throw base::Error(base::exit_malformed_reply,
                      "Azure's reply does not tell the state of the operation");
  }
  operation.fault = read_fault(status);
  const bool failed = is_word(operation.state, "failed") || is_word(operation.state, "canceled") ||
                      is_word(operation.state, "cancelled");
  if (failed) operation.is_over = true;
  if (!is_word(operation.state, "succeeded")) return;
  const json::Value* output = json::find(status, {"properties", "output"});
  if (!json::is_null(output)) operation.result = *output;
  // Without an output here the result is at the other address, if there is one.
  operation.is_over = !json::is_null(output) || operation.result_url.empty();
  operation.status_url.clear();
}

void take_result(Operation& operation, const net::HttpResponse& reply) {
  if (reply.status == kAccepted) return;
  if (!base::trim(reply.body).empty()) operation.result = body_of(reply);
  operation.state = "Succeeded";
  operation.is_over = true;
}

}  // namespace

Operation begin_operation(const net::HttpResponse& accepted, const std::string& arm) {
  Operation operation;
  operation.status_url = net::header(accepted, "azure-asyncoperation");
  operation.result_url = net::header(accepted, "location");
  check_origin(operation.status_url, arm);
  check_origin(operation.result_url, arm);
  const bool has_address = !operation.status_url.empty() || !operation.result_url.empty();
  if (has_address) return operation;
  if (accepted.status == kAccepted) {
    throw base::Error(base::exit_malformed_reply,
                      "Azure accepted the request, but tells no address to follow it; the script "
                      "may be running: look before you run it again");
  }
  if (!base::trim(accepted.body).empty() && !json::try_parse(accepted.body)) {
    throw base::Error(base::exit_malformed_reply,
                      "the answer to the request is no JSON, so not Azure's; the script may be "
                      "running: look before you run it again; check what stands between");
  }
  take_result(operation, accepted);
  return operation;
}

const std::string& next_url(const Operation& operation) {
  return operation.status_url.empty() ? operation.result_url : operation.status_url;
}

void advance(Operation& operation, const net::HttpResponse& reply) {
  if (operation.status_url.empty()) {
    take_result(operation, reply);
  } else {
    take_status(operation, body_of(reply));
  }
}

bool succeeded(const Operation& operation) {
  return operation.is_over && is_word(operation.state, "succeeded");
}

}  // namespace azure
