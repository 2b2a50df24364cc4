// What can be told of a webhook from its URL, without asking anybody.
// Source: docs.slack.dev "Sending messages using incoming webhooks", "Slack Workflow Builder:
// webhook triggers", "GovSlack".
#pragma once

#include <string>

namespace slack {

enum class WebhookKind {
  incoming,  // https://hooks.slack.com/services/T…/B…/…
  workflow,  // https://hooks.slack.com/triggers/T…/…/… or /workflows/T…/A…/…/…
  broken,    // at Slack's host, but none of these
  foreign,   // at another host
};

// GovSlack's host, hooks.slack-gov.com, is Slack's too.
WebhookKind kind_of_webhook(const std::string& url);

}  // namespace slack
