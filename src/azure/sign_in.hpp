// Signed in to Azure: a bearer token that is good for the next minutes, whenever it is asked for.
//
// A token is fetched when the first is needed, and again when the last one nears its end or was
// refused. By many threads at once it is fetched once; the others wait.
// How to sign in: azure/credentials.hpp; what is asked and answered: azure/token.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "azure/cloud.hpp"
#include "azure/credentials.hpp"
#include "azure/token.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/certificate.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"

namespace azure {

// What carries the requests for tokens; all of it is called by one thread at a time.
struct TokenLine {
  net::Http http;
  base::Clock clock;
  int64_t retry_budget_ms = 60'000;
  // Told before each wait. May throw, to end it all.
  std::function<void(const std::string& reason, int64_t wait_ms)> on_wait = {};
  // Told every token and assertion before it is used, so that it can be masked.
  std::function<void(const std::string& secret)> on_secret = {};
  // For the JWT of a certificate: something that never comes again.
  std::function<std::string()> new_jti = [] { return base::random_hex(16); };
};

class TokenSource {
 public:
  // A certificate is read at once. Throws 66, 65 and 74 as base::read_file does, 78 as
  // net::read_certificate does.
  TokenSource(Credentials credentials, Cloud cloud, TokenLine line);

  // One that lives for 5 minutes at least, or half of its life if that was shorter; when no new one
  // is to be had, the last one as long as it lives. After a failure nobody is asked for half a
  // minute: the same error comes again, so that many who wait do not each try in turn. Throws what
  // read_token and net::send throw, 66 when the workload's token file is missing or empty, 78 when
  // this machine has no managed identity.
  std::string token();

  // Azure said 401 to it: the next token() is a new one, unless that is so already.
  void refused(const std::string& token);

 private:
  net::HttpResponse ask_imds(const net::HttpRequest& request);
  net::HttpResponse send(const net::HttpRequest& request);
  std::string new_assertion();
  net::HttpRequest next_request();
  void begin();
  void renew();
  bool is_good() const;
  void fetch();

  const Credentials credentials_;
  const Cloud cloud_;
  const TokenLine line_;
  std::optional<net::Certificate> certificate_;
  std::mutex mutex_;  // over all that follows and the use of line_
  Token token_;       // without text when there is none
  int64_t renew_unix_s_ = 0;
  std::optional<base::Error> failure_;  // of begin(), the last one
  int64_t failed_unix_s_ = 0;
  bool imds_was_reached_ = false;
};

}  // namespace azure
