// What Azure Resource Manager says no with, as errors for a person.
// Source: ARM's error bodies {"error":{"code","message"}}, learn.microsoft.com "Understand Azure
// role definitions"; the recorded texts are in Azure's own clients.
#pragma once

#include <string>

#include "base/error.hpp"
#include "json/value.hpp"
#include "net/http.hpp"

namespace azure {

inline constexpr int kNotFound = 404;

// The error member of a reply or of an operation's status; both empty when there is none.
struct Fault {
  std::string code;
  std::string message;  // one line
};
Fault read_fault(const json::Value& reply);
Fault read_fault(const net::HttpResponse& reply);

// A reply that is no success. `doing` says what was asked: "start the script". 77 for 401 and 403
// (with the role that is missing), 66 for 404, 65 for 400, 75 for 408, 429 and 5xx, else 69.
base::Error refusal(const net::HttpResponse& reply, const std::string& doing);

// The same of a script that was started: 69 for 400.
base::Error refusal_to_follow(const net::HttpResponse& reply);

// The same error, with more behind its words.
base::Error with_words(const base::Error& error, const std::string& words);

// The same for an operation that ended without success: 69.
base::Error operation_failure(const std::string& state, const Fault& fault);

// Whether a start was taken is not known, by its reply or by the want of one.
bool is_unclear(const net::HttpResponse& reply);
bool is_unclear(const net::HttpError& error);

// Another script is running there: wait, then ask again.
bool is_busy(const net::HttpResponse& reply);

}  // namespace azure
