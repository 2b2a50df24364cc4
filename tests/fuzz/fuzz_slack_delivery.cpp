// What reaches slack-serve: a request's body with its signature, alone or in the envelope of Azure
// Functions, or what an envelope of Socket Mode holds. Holds: only what was signed is genuine, what
// is heard can be answered, answers are JSON.
#include "azure/function_envelope.hpp"
#include "fuzz.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "net/hmac.hpp"
#include "slack/event.hpp"
#include "slack/signature.hpp"

namespace {

constexpr int64_t kNow = 1'700'000'000;
constexpr const char* kSecret = "8f742231b10e8888abcd99yyyzzz85a5";

void check(const slack::Delivery& delivery) {
  if (delivery.kind != slack::Delivery::Kind::heard) return;
  const slack::Heard& heard = delivery.heard;
  fuzz::expect(!heard.channel.empty(), "what is heard has a channel");
  fuzz::expect(!heard.ts.empty() || !heard.command.empty(), "a message has its time");
  fuzz::expect(heard.text.find('\0') == std::string::npos, "no NUL is heard");
}

void check_signatures(const std::string& body) {
  using slack::Verdict;
  const std::string time = std::to_string(kNow);
  const std::string right = "v0=" + net::hmac_sha256_hex(kSecret, "v0:" + time + ":" + body);
  const auto verdict = [&](const std::string& timestamp, const std::string& signature) {
    return slack::check_signature(kSecret, timestamp, signature, body, kNow);
  };
  fuzz::expect(verdict(time, right) == Verdict::genuine, "what was signed is genuine");
  fuzz::expect(verdict(time, body) != Verdict::genuine, "nothing else is");
  fuzz::expect(verdict(body, right) != Verdict::genuine, "nor at another time");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body = fuzz::text_of(data, size);
  check_signatures(body);
  check(slack::read_delivery(body, "application/json", true));
  check(slack::read_delivery(body, "application/x-www-form-urlencoded", false));
  if (const auto envelope = azure::read_envelope(body)) {
    if (envelope->request) {
      const net::Headers& headers = envelope->request->headers;
      const std::string type = net::header(headers, "content-type");
      check(slack::read_delivery(envelope->request->body, type, false));
      const std::string answer = azure::http_answer(200, headers, envelope->request->body);
      fuzz::expect(json::is_json(answer), "an answer is JSON", answer);
    }
    const std::string answer = azure::trigger_answer(envelope->data, envelope->data, body);
    fuzz::expect(json::is_json(answer), "an answer is JSON", answer);
  }
  const auto payload = json::try_parse(body);
  if (!payload) return 0;
  check(slack::read_envelope("events_api", *payload, true));
  check(slack::read_envelope("slash_commands", *payload, false));
  return 0;
}
