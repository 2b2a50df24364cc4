// POSTs each event's JSON to a URL. A status of 200 to 299 is done; the header Idempotency-Key, the
// event's id, lets the other side tell an event that comes again.
//
// ${NAME} in the URL and in headers is the value of an environment variable. The URL and these
// values stand in no error text. Throws 78 when a variable is not set or the URL or a header can't
// be used, 65 with the status and the first words of the reply for other statuses, and what
// net::Http throws.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/processor.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore {

struct WebhookSpec {
  std::string url;
  net::Headers headers;
  int64_t timeout_ms = 60'000;
};

class Webhook : public Processor {
 public:
  Webhook(const WebhookSpec& spec, Surroundings surroundings);

  void process(const Event& event) override;

 private:
  std::string filled_in(const std::string& text);

  Surroundings surroundings_;
  net::HttpRequest request_;  // all but the event
  std::vector<std::string> secrets_;
};

}  // namespace eventstore
