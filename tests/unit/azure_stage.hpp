// An Azure that answers by a script, and a clock that only waiting moves: for the tests of what
// talks to Azure Resource Manager.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azure/arm.hpp"

namespace azure_stage {

inline const std::string kArm = "https://management.azure.com";

struct Exchanged {
  std::string method;
  std::string url;
  std::string authorization;
  std::string body;
  int64_t at_ms = 0;
};

// One reply, or with status 0 an error of the network.
struct Turn {
  int status = 200;
  std::string body = "{}";
  net::Headers headers = {};
  base::ExitCode code = base::exit_retries_spent;
  bool safe_to_retry = false;
};

struct Stage {
  std::deque<Turn> turns;            // for ARM, in order; the last one repeats
  std::vector<Exchanged> exchanged;  // with ARM
  int tokens = 0;                    // issued
  int64_t token_seconds = 3'600;
  int64_t now_ms = 1'000;
  int64_t start_unix_s = 1'700'000'000;
  azure::Arm arm;

  explicit Stage(std::deque<Turn> script) : turns(std::move(script)) {
    arm.cloud = {kArm, "https://login.microsoftonline.com"};
    arm.clock.monotonic_ms = [this] { return now_ms; };
    arm.clock.unix_s = [this] { return start_unix_s + now_ms / 1'000; };
    arm.clock.sleep_ms = [this](int64_t ms) { now_ms += ms; };
    azure::Known known;
    known.tenant = "11111111-2222-3333-4444-555555555555";
    known.client_id = "client";
    known.client_secret = "secret";
    azure::TokenLine line;
    line.clock = arm.clock;
    line.http = [this](const net::HttpRequest&) {
      net::HttpResponse response;
      response.status = 200;
      response.body = R"({"access_token":"token)" + std::to_string(++tokens) +
                      R"(","expires_in":)" + std::to_string(token_seconds) + "}";
      return response;
    };
    arm.tokens =
        std::make_shared<azure::TokenSource>(azure::choose(known, "secret"), arm.cloud, line);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  net::Http http() {
    return [this](const net::HttpRequest& request) { return answer(request); };
  }

  net::HttpResponse answer(const net::HttpRequest& request) {
    exchanged.push_back({request.method, request.url, net::header(request.headers, "Authorization"),
                         request.body, now_ms});
    const Turn turn = turns.front();
    if (turns.size() > 1) turns.pop_front();
    if (turn.status == 0) throw net::HttpError(turn.code, "no luck", turn.safe_to_retry);
    net::HttpResponse response;
    response.status = turn.status;
    response.headers = turn.headers;
    response.body = turn.body;
    return response;
  }

  int count(const std::string& method) const {
    int found = 0;
    for (const Exchanged& one : exchanged) found += one.method == method ? 1 : 0;
    return found;
  }
};

}  // namespace azure_stage
