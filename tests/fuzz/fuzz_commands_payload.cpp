// Payloads of slack-post: JSON or YAML, with templates, flattened. Holds: it is shown and written;
// what has no templates passes as it is.
#include <CLI/CLI.hpp>
#include <map>

#include "commands/slack_payload.hpp"
#include "fuzz.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "slack/preview.hpp"

namespace {

// Those of slack-post's options that reading a payload asks for.
std::vector<commands::Option> table() {
  using commands::Kind;
  std::vector<commands::Option> rows{{"", "--payload", "DOCUMENT", "", "", ""},
                                     {"", "--payload-file-path", "FILE", "", "", ""},
                                     {"", "--payload-delimiter", "TEXT", "", "", ""},
                                     {"", "--webhook-type", "incoming-webhook|webhook-trigger", "",
                                      "incoming-webhook", "", Kind::choice}};
  for (const char* name :
       {"--payload-templated", "--mrkdwn", "--allow-broadcast", "--link-names"}) {
    rows.push_back({"", name, "", "", "", "", Kind::toggle});
  }
  return rows;
}

// The options as a workflow's inputs give them, changed between two runs.
struct Step {
  std::map<std::string, std::string> variables{{"GITHUB_EVENT_PATH", "fixtures/slack/push.json"},
                                               {"GITHUB_SERVER_URL", "https://github.com"},
                                               {"GITHUB_REPOSITORY", "o/r"},
                                               {"GITHUB_RUN_ID", "7"}};
  CLI::App app;
  commands::Options options{app, table(), [this](const std::string& name) {
                              const auto found = variables.find(name);
                              return found == variables.end() ? "" : found->second;
                            }};
};

json::Object read(Step& step, const std::string& payload) {
  step.variables["INPUT_PAYLOAD"] = payload;
  json::Object object;
  fuzz::takes([&] { object = commands::read_payload(step.options); });
  const std::string written = json::write(object);
  fuzz::expect(json::is_json(written), "a payload is written as JSON", written);
  return object;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Step step;
  const std::string text = fuzz::text_of(data, size);
  const json::Object plain = read(step, text);
  slack::shown(plain, true);
  slack::builder_url(plain);
  if (!plain.empty()) {
    const std::string written = json::write(plain);
    fuzz::expect(json::write(read(step, written)) == written, "a payload passes as it is", written);
  }
  step.variables["INPUT_PAYLOAD-TEMPLATED"] = "true";
  read(step, text);
  step.variables["INPUT_PAYLOAD-DELIMITER"] = "_";
  for (const json::Member& member : read(step, text)) {
    fuzz::expect(json::as_string(&member.value) != nullptr, "a flat payload holds texts");
  }
  step.variables.erase("INPUT_PAYLOAD-TEMPLATED");
  step.variables.erase("INPUT_PAYLOAD-DELIMITER");
  return 0;
}
