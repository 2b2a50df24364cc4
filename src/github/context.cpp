#include "github/context.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "json/write.hpp"

namespace github {

namespace {

struct Name {
  const char* name;
  const char* variable;
  bool is_number;
};

constexpr Name kNames[] = {
    {"eventName", "GITHUB_EVENT_NAME", false},
    {"sha", "GITHUB_SHA", false},
    {"ref", "GITHUB_REF", false},
    {"workflow", "GITHUB_WORKFLOW", false},
    {"action", "GITHUB_ACTION", false},
    {"actor", "GITHUB_ACTOR", false},
    {"job", "GITHUB_JOB", false},
    {"runAttempt", "GITHUB_RUN_ATTEMPT", true},
    {"runNumber", "GITHUB_RUN_NUMBER", true},
    {"runId", "GITHUB_RUN_ID", true},
    {"apiUrl", "GITHUB_API_URL", false},
    {"serverUrl", "GITHUB_SERVER_URL", false},
    {"graphqlUrl", "GITHUB_GRAPHQL_URL", false},
};

std::string text_of(const json::Value& value) {
  const std::string* text = json::as_string(&value);
  if (text != nullptr) return *text;
  return json::is_null(&value) ? "" : json::write(value);
}

const json::Value* step(const json::Value& value, const std::string& name) {
  const json::Array* list = json::as_array(&value);
  size_t index = 0;
  if (list == nullptr) return json::find(value, name);
  return base::read_number(name, index) && index < list->size() ? &(*list)[index] : nullptr;
}

const json::Value* walk(const json::Value& from, const std::vector<std::string>& path,
                        size_t first) {
  const json::Value* value = &from;
  for (size_t i = first; i < path.size() && value != nullptr; ++i) value = step(*value, path[i]);
  return value;
}

std::string upper_snake(const std::string& name) {
  std::string variable = "GITHUB_";
  for (const char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return variable;
}

// "owner/name" in its two halves.
std::optional<std::string> repository_part(const base::Env& env, const std::string& part) {
  const std::string repository = env("GITHUB_REPOSITORY");
  const size_t slash = repository.find('/');
  if (slash == std::string::npos) return std::nullopt;
  if (part == "owner") return repository.substr(0, slash);
  if (part == "repo") return repository.substr(slash + 1);
  return std::nullopt;
}

std::string first_line(const std::string& text) {
  return base::one_line(base::trim(text).substr(0, base::trim(text).find('\n')));
}

// "https://github.com/owner/name", "" when the variables do not say.
std::string repository_url(const base::Env& env) {
  const std::string repository = env("GITHUB_REPOSITORY");
  const std::string server = env("GITHUB_SERVER_URL");
  return repository.empty() || server.empty() ? "" : server + "/" + repository;
}

void read_commit(Run& run, const json::Value& event) {
  const json::Value* pull = json::find(event, "pull_request");
  const json::Value* commit = json::find(event, "head_commit");
  if (pull != nullptr && !json::is_null(pull)) {
    const json::Value* user = json::find(*pull, "user");
    const json::Value* head = json::find(*pull, "head");
    run.subject = first_line(json::string_at(*pull, "title"));
    run.author_login = user == nullptr ? "" : json::string_at(*user, "login");
    run.author = run.author_login;
    if (head != nullptr && !json::string_at(*head, "sha").empty()) {
      run.sha = json::string_at(*head, "sha");  // GITHUB_SHA is a merge nobody knows
    }
  } else if (commit != nullptr && !json::is_null(commit)) {
    const json::Value* author = json::find(*commit, "author");
    run.subject = first_line(json::string_at(*commit, "message"));
    run.author = author == nullptr ? "" : json::string_at(*author, "name");
    run.author_login = author == nullptr ? "" : json::string_at(*author, "username");
  }
}

}  // namespace

json::Object context(const base::Env& env, const json::Value& event) {
  json::Object object{
      {"payload", json::as_object(&event) != nullptr ? event : json::Value(json::Object{})}};
  for (const auto& [name, variable, is_number] : kNames) {
    const std::string text = env(variable);
    int64_t number = 0;
    if (text.empty()) continue;
    const bool whole = is_number && base::read_number(text, number);
    object.push_back({name, whole ? json::Value(number) : json::Value(text)});
  }
  return object;
}

std::optional<std::string> context_text(const base::Env& env, const json::Value& event,
                                        std::string_view path) {
  const std::vector<std::string> names = base::split(path, '.');
  const std::string& first = names.front();
  const json::Value own(context(env, event));
  if (first == "repo" && names.size() == 2) return repository_part(env, names[1]);
  const json::Value* value = walk(own, names, 0);
  if (value == nullptr && first == "event") value = walk(event, names, 1);
  if (value == nullptr && names.size() == 1 && !env(upper_snake(first)).empty()) {
    return env(upper_snake(first));
  }
  if (value == nullptr) value = walk(event, names, 0);
  return value == nullptr ? std::nullopt : std::optional(text_of(*value));
}

std::string fill_templates(const std::string& text,
                           const std::function<std::string(const std::string& name)>& value_of) {
  std::string filled;
  size_t done = 0;
  for (size_t open = text.find("${{"); open != std::string::npos; open = text.find("${{", done)) {
    const size_t close = text.find("}}", open);
    if (close == std::string::npos) {
      throw base::Error(base::exit_bad_input,
                        fmt::format("'{}' is not closed by }}}}",
                                    base::shorten(base::one_line(text.substr(open)), 60)));
    }
    filled += text.substr(done, open - done);
    filled += value_of(base::trim(text.substr(open + 3, close - open - 3)));
    done = close + 2;
  }
  return filled + text.substr(done);
}

Run read_run(const base::Env& env, const json::Value& event) {
  Run run;
  run.workflow = env("GITHUB_WORKFLOW");
  run.job = env("GITHUB_JOB");
  run.sha = env("GITHUB_SHA");
  read_commit(run, event);
  if (run.author_login.empty()) run.author_login = env("GITHUB_ACTOR");
  if (run.author.empty()) run.author = run.author_login;
  const std::string head = env("GITHUB_HEAD_REF");  // of a pull request
  run.branch = head.empty() ? env("GITHUB_REF_NAME") : head;
  const std::string repository = repository_url(env);
  if (repository.empty()) return run;
  const std::string id = env("GITHUB_RUN_ID");
  const std::string attempt = env("GITHUB_RUN_ATTEMPT");
  if (!id.empty()) run.url = fmt::format("{}/actions/runs/{}", repository, id);
  if (!id.empty() && !attempt.empty() && attempt != "1") run.url += "/attempts/" + attempt;
  if (!run.sha.empty()) run.commit_url = fmt::format("{}/commit/{}", repository, run.sha);
  if (!run.branch.empty()) run.branch_url = fmt::format("{}/tree/{}", repository, run.branch);
  return run;
}

}  // namespace github
