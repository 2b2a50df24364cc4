#include <doctest/doctest.h>

#include <map>

#include "base/error.hpp"
#include "github/context.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

base::Env env_of(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

const base::Env kEnv = env_of({{"GITHUB_EVENT_NAME", "push"},
                               {"GITHUB_SHA", "abcdef0123456789"},
                               {"GITHUB_RUN_ID", "77"},
                               {"GITHUB_RUN_ATTEMPT", "1"},
                               {"GITHUB_SERVER_URL", "https://git.example"},
                               {"GITHUB_REPOSITORY", "mira/harbor"},
                               {"GITHUB_REF_NAME", "main"},
                               {"GITHUB_WORKFLOW", "CI"},
                               {"GITHUB_JOB", "build"},
                               {"GITHUB_ACTOR", "mira"}});

const json::Value kPush = json::parse(R"({"head_commit": {"message": "Fix the pump\n\nIt leaked.",
  "author": {"name": "Ada L.", "username": "ada"}}, "commits": [{"id": "c0"}, {"id": "c1"}],
  "forced": false, "created": null})",
                                      "push");

}  // namespace

TEST_CASE("the context has the names that JavaScript actions know") {
  const json::Value context(github::context(kEnv, kPush));
  CHECK(json::string_at(context, "eventName") == "push");
  CHECK(json::write(*json::find(context, "runId")) == "77");
  CHECK(json::find(context, "apiUrl") == nullptr);
  CHECK(json::find(context, {"payload", "head_commit"}) != nullptr);
  CHECK(json::write(github::context(env_of({}), nullptr)) == R"({"payload":{}})");
}

TEST_CASE("paths of templates") {
  struct Row {
    const char* path;
    std::optional<std::string> text;
  };
  const Row rows[] = {
      {"payload.head_commit.author.name", "Ada L."},
      {"event.head_commit.author.name", "Ada L."},
      {"head_commit.author.name", "Ada L."},
      {"event.commits.1.id", "c1"},
      {"event.commits.2.id", std::nullopt},
      {"event.commits.x.id", std::nullopt},
      {"event.forced", "false"},
      {"event.created", ""},
      {"event.commits", R"([{"id":"c0"},{"id":"c1"}])"},
      {"runId", "77"},
      {"run_id", "77"},
      {"repository", "mira/harbor"},
      {"repo.owner", "mira"},
      {"repo.repo", "harbor"},
      {"repo.other", std::nullopt},
      {"token", std::nullopt},
      {"", std::nullopt},
      {"event..x", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(github::context_text(kEnv, kPush, row.path) == row.text);
  }
}

TEST_CASE("templates are replaced once, what they bring is not looked at again") {
  const auto value_of = [](const std::string& name) { return "[" + name + " ${{ x }}]"; };
  CHECK(github::fill_templates("a ${{ env.B }}${{c}} d", value_of) ==
        "a [env.B ${{ x }}][c ${{ x }}] d");
  CHECK(github::fill_templates("$ {{ x }} }}", value_of) == "$ {{ x }} }}");
  CHECK_THROWS_WITH_AS(github::fill_templates("a ${{ env.B", value_of),
                       "'${{ env.B' is not closed by }}", base::Error);
}

TEST_CASE("the facts of a run on a push") {
  const github::Run run = github::read_run(kEnv, kPush);
  CHECK(run.url == "https://git.example/mira/harbor/actions/runs/77");
  CHECK(run.branch == "main");
  CHECK(run.branch_url == "https://git.example/mira/harbor/tree/main");
  CHECK(run.commit_url == "https://git.example/mira/harbor/commit/abcdef0123456789");
  CHECK(run.subject == "Fix the pump");
  CHECK(run.author == "Ada L.");
  CHECK(run.author_login == "ada");
}

TEST_CASE("on a pull request the commit is its head, not the merge that was tested") {
  const json::Value pull = json::parse(
      R"({"pull_request": {"title": "Pump", "user": {"login": "linus"}, "head": {"sha": "feed"}}})",
      "pull");
  const base::Env env = env_of({{"GITHUB_SHA", "0000"},
                                {"GITHUB_HEAD_REF", "fix/pump"},
                                {"GITHUB_REF_NAME", "7/merge"},
                                {"GITHUB_SERVER_URL", "https://git.example"},
                                {"GITHUB_REPOSITORY", "mira/harbor"},
                                {"GITHUB_RUN_ID", "8"},
                                {"GITHUB_RUN_ATTEMPT", "3"}});
  const github::Run run = github::read_run(env, pull);
  CHECK(run.sha == "feed");
  CHECK(run.branch == "fix/pump");
  CHECK(run.subject == "Pump");
  CHECK(run.author_login == "linus");
  CHECK(run.url == "https://git.example/mira/harbor/actions/runs/8/attempts/3");
}

TEST_CASE("without an event the actor stands for the author, and no link is made up") {
  const github::Run run =
      github::read_run(env_of({{"GITHUB_ACTOR", "mira"}, {"GITHUB_SHA", "a"}}), nullptr);
  CHECK(run.author == "mira");
  CHECK(run.url.empty());
  CHECK(run.commit_url.empty());
  CHECK(run.subject.empty());
}
