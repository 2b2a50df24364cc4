#include <doctest/doctest.h>

#include <string>

#include "slack/webhook_url.hpp"

using slack::WebhookKind;

TEST_CASE("a webhook's kind is told by its URL") {
  const std::string secret = "XXXXXXXXXXXXXXXXXXXXXXXX";
  struct Row {
    std::string url;
    WebhookKind kind;
  };
  const Row rows[] = {
      {"https://hooks.slack.com/services/T00000000/B00000000/" + secret, WebhookKind::incoming},
      {"https://hooks.slack-gov.com/services/T00000000/B00000000/" + secret, WebhookKind::incoming},
      {"HTTPS://Hooks.Slack.com/services/T00000000/B00000000/" + secret, WebhookKind::incoming},
      {"https://hooks.slack.com/triggers/T00000000/1111111111111/" + secret, WebhookKind::workflow},
      {"https://hooks.slack.com/triggers/E00000000/1111111111111/" + secret, WebhookKind::workflow},
      {"https://hooks.slack.com/workflows/T00000000/A00000000/1111/" + secret,
       WebhookKind::workflow},
      {"http://hooks.slack.com/services/T00000000/B00000000/" + secret, WebhookKind::broken},
      {"https://hooks.slack.com/services/T00000000/B00000000", WebhookKind::broken},
      {"https://hooks.slack.com/services/T00000000/B00000000/", WebhookKind::broken},
      {"https://hooks.slack.com/services/T00000000/B00000000/short", WebhookKind::broken},
      {"https://hooks.slack.com/services/B00000000/T00000000/" + secret, WebhookKind::broken},
      {"https://hooks.slack.com/services/t00000000/B00000000/" + secret, WebhookKind::broken},
      {"https://hooks.slack.com/services/T00000000/B00000000/" + secret + "/x",
       WebhookKind::broken},
      {"https://hooks.slack.com/services/T00000000/B00000000/" + secret + "…", WebhookKind::broken},
      {"https://hooks.slack.com", WebhookKind::broken},
      {"https://hooks.slack.com/", WebhookKind::broken},
      {"https://hooks.slack.com.example/services/T00000000/B00000000/" + secret,
       WebhookKind::foreign},
      {"https://chat.example/hooks/1", WebhookKind::foreign},
      {"http://127.0.0.1:8065/hooks/1", WebhookKind::foreign},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    CHECK(slack::kind_of_webhook(row.url) == row.kind);
  }
}
