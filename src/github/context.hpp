// What a workflow's run is about: GitHub's variables and the event, as values.
// Source: docs.github.com "Variables reference", @actions/github (whose names the context has),
// webhook payloads push and pull_request.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.hpp"
#include "json/value.hpp"

namespace github {

// The object that JavaScript actions call github.context: payload (the event), eventName, sha, ref,
// workflow, action, actor, job, runAttempt, runNumber, runId, apiUrl, serverUrl, graphqlUrl; those
// that are not set are left out.
json::Object context(const base::Env& env, const json::Value& event);

// A value of it by a path behind "github.": its own names ("runId", "payload.pull_request.title"),
// those of workflow expressions ("run_id", "event.pull_request.title", "repository"), "repo.owner",
// "repo.repo", and as a last resort a name in the event itself. Numbers count items of lists.
// Objects and lists come as JSON, null as "". Nothing when there is no such value.
std::optional<std::string> context_text(const base::Env& env, const json::Value& event,
                                        std::string_view path);

// Replaces every ${{ NAME }} by what `value_of` gives for NAME. Throws 65 for one that is not
// closed.
std::string fill_templates(const std::string& text,
                           const std::function<std::string(const std::string& name)>& value_of);

// The facts of a run that people want to see; "" for what is not known.
struct Run {
  std::string workflow;
  std::string job;
  std::string url;  // of the run, with its attempt
  std::string branch;
  std::string branch_url;
  std::string sha;
  std::string commit_url;
  std::string subject;       // first line of the commit's message, or the pull request's title
  std::string author;        // as shown: a name or a login
  std::string author_login;  // GitHub login of who made the commit or the pull request
};

Run read_run(const base::Env& env, const json::Value& event);

}  // namespace github
