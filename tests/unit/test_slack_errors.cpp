#include <doctest/doctest.h>

#include "slack/errors.hpp"

TEST_CASE("Slack's words decide the exit code") {
  struct Row {
    slack::Refusal refusal;
    base::ExitCode code;
  };
  const Row rows[] = {
      {{"invalid_auth", 200, ""}, base::exit_refused},
      {{"missing_scope", 200, ""}, base::exit_refused},
      {{"not_in_channel", 200, ""}, base::exit_configuration},
      {{"channel_is_archived", 410, ""}, base::exit_configuration},
      {{"invalid_blocks", 200, ""}, base::exit_bad_input},
      {{"ratelimited", 200, ""}, base::exit_retries_spent},
      {{"rate_limited", 429, ""}, base::exit_retries_spent},
      {{"internal_error", 200, ""}, base::exit_unavailable},
      {{"internal_error", 500, ""}, base::exit_retries_spent},
      {{"some_new_word", 200, ""}, base::exit_answer_no},
      {{"", 403, ""}, base::exit_refused},
      {{"", 401, ""}, base::exit_refused},
      {{"", 429, ""}, base::exit_retries_spent},
      {{"", 503, ""}, base::exit_retries_spent},
  };
  for (const Row& row : rows) {
    CAPTURE(row.refusal.word);
    CAPTURE(row.refusal.status);
    CHECK(slack::refusal_error(row.refusal).code() == row.code);
  }
}

TEST_CASE("the line names the word, the status, the details and the remedy, and is one line") {
  const base::Error error = slack::refusal_error({"missing_scope", 403, "needed: chat:write\nx"});
  CHECK(
      std::string(error.what()) ==
      "Slack says missing_scope (HTTP 403) (needed: chat:write x); add the needed scope to the app "
      "and install it again");
}

TEST_CASE("a hostile word is cut and stays one line") {
  const std::string text =
      slack::refusal_error({std::string(9'000, 'x') + "\n::error::", 400, ""}).what();
  CHECK(text.size() < 400);
  CHECK(text.find('\n') == std::string::npos);
}
