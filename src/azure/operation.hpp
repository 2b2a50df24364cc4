// A long-running operation of Azure Resource Manager as a small state machine: replies in, the next
// address to ask out. Pure; who drives it waits and sends.
// Source: learn.microsoft.com "Track asynchronous Azure operations", the recorded traffic of
// Azure's own clients.
#pragma once

#include <cstdint>
#include <string>

#include "azure/errors.hpp"
#include "json/value.hpp"
#include "net/http.hpp"

namespace azure {

struct Operation {
  std::string status_url;  // of Azure-AsyncOperation: tells the state
  std::string result_url;  // of Location: 202 until it is over, then the result
  bool is_over = false;
  std::string state;   // the last one told: "InProgress", "Succeeded", "Failed", "Canceled"…
  Fault fault;         // why it did not succeed
  json::Value result;  // null when there is none
};

// From the reply that accepted a request: 202, or 200 and 201, which may hold the result at once.
// Both addresses are signed and several KB long; they must be of `arm`'s origin, as they are
// followed with the bearer token. Throws 76 when they are not, and for a 202 with neither.
Operation begin_operation(const net::HttpResponse& accepted, const std::string& arm);

// Which to ask next, while it is not over.
const std::string& next_url(const Operation& operation);

// Takes the reply of next_url(): a 2xx. Throws 76 for one that can't be understood.
void advance(Operation& operation, const net::HttpResponse& reply);

bool succeeded(const Operation& operation);

}  // namespace azure
