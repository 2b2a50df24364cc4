#include <doctest/doctest.h>

#include "azure/run_command.hpp"
#include "base/error.hpp"
#include "json/read.hpp"

namespace {

const std::string kArm = "https://arm";

azure::Machine machine() {
  azure::Machine made;
  made.subscription = "s";
  made.resource_group = "g";
  made.name = "m";
  return made;
}

azure::ActionOutput linux_output(const std::string& message) {
  return azure::read_action_output(json::Object{
      {"value",
       json::Array{json::Object{{"code", "ProvisioningState/succeeded"}, {"message", message}}}}});
}

}  // namespace

TEST_CASE("run command: the action's request") {
  const net::HttpRequest request =
      azure::action_request(kArm, machine(), "RunShellScript", "echo 'a\n\nb'", {{"n", "v"}});
  CHECK(request.method == "POST");
  CHECK(request.url ==
        "https://arm/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/"
        "virtualMachines/m/runCommand?api-version=2024-11-01");
  CHECK(request.body == R"({"commandId":"RunShellScript","script":["echo 'a\n\nb'"],)"
                        R"("parameters":[{"name":"n","value":"v"}]})");
  CHECK_FALSE(request.repeatable);  // it may never be sent twice
  CHECK(azure::action_request(kArm, machine(), "ifconfig", "", {}).body ==
        R"({"commandId":"ifconfig"})");
}

TEST_CASE("run command: the managed kind's requests") {
  azure::ManagedRun run;
  run.script = "x";
  run.location = "westus";
  run.run_as_user = "u";
  run.run_as_password = "p";
  run.timeout_s = 60;
  const net::HttpRequest put = azure::managed_put(kArm, machine(), "n", run);
  CHECK(put.method == "PUT");
  CHECK_FALSE(put.repeatable);
  CHECK(put.body == R"({"location":"westus","properties":{"source":{"script":"x"},)"
                    R"("asyncExecution":true,"timeoutInSeconds":60,"runAsUser":"u",)"
                    R"("runAsPassword":"p"}})");
  CHECK(azure::managed_get(kArm, machine(), "n").url ==
        "https://arm/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/"
        "virtualMachines/m/runCommands/n?$expand=instanceView&api-version=2024-11-01");
  CHECK(azure::managed_delete(kArm, machine(), "n").repeatable);
}

TEST_CASE("run command: Linux' one message") {
  const azure::ActionOutput output =
      linux_output("Enable succeeded: \n[stdout]\nhi\n\n[stderr]\nno\n");
  CHECK(output.output == "hi\n");
  CHECK(output.errors == "no\n");
  CHECK_FALSE(output.failed);
  // Output with the marks in it: the first begins, the last divides.
  const azure::ActionOutput odd =
      linux_output("Enable succeeded: \n[stdout]\n[stdout]\nx\n[stderr]\ny\n[stderr]\nz");
  CHECK(odd.output == "[stdout]\nx\n[stderr]\ny");
  CHECK(odd.errors == "z");
  CHECK(linux_output("something else").output == "something else");
  CHECK(linux_output("[stdout]\n[stderr]\n").output.empty());
}

TEST_CASE("run command: Windows' two entries, both shapes of the result") {
  const json::Array entries{
      json::Object{{"code", "ComponentStatus/StdOut/succeeded"}, {"message", "hi"}},
      json::Object{{"code", "ComponentStatus/StdErr/succeeded"}, {"message", "no"}}};
  for (const json::Value& result :
       {json::Value(entries), json::Value(json::Object{{"value", entries}})}) {
    const azure::ActionOutput output = azure::read_action_output(result);
    CHECK(output.output == "hi");
    CHECK(output.errors == "no");
    CHECK(output.all == "hi\nno\n");
  }
  CHECK(azure::read_action_output(json::Array{json::Object{{"code", "ProvisioningState/failed"}}})
            .failed);
  CHECK_THROWS_AS(azure::read_action_output(json::Object{}), base::Error);
}

TEST_CASE("run command: what an instance view tells") {
  const auto state = [](const std::string& view) {
    return azure::read_managed_state(
        json::parse(R"({"properties":{"instanceView":)" + view + "}}", "test"));
  };
  const azure::ManagedState done = state(
      R"({"executionState":"Succeeded","exitCode":3,"output":"a","error":"b","executionMessage":"m"})");
  CHECK(done.is_over);
  CHECK(done.exit_code == 3);
  CHECK(done.output == "a");
  CHECK(done.errors == "b");
  for (const char* word : {"Failed", "TimedOut", "Canceled", "succeeded"}) {
    CHECK(state(std::string(R"({"executionState":")") + word + "\"}").is_over);
  }
  for (const char* word : {"Pending", "Running", "Unknown", ""}) {
    CHECK_FALSE(state(std::string(R"({"executionState":")") + word + "\"}").is_over);
  }
  CHECK(azure::read_managed_state(
            json::parse(R"({"properties":{"provisioningState":"Failed"}})", "test"))
            .is_over);
}

TEST_CASE("run command: what is new in a tail") {
  struct Row {
    std::string before;
    std::string now;
    std::string news;
    bool has_gap;
  };
  const std::string known = "twenty bytes of text";
  std::string lines;  // more than Azure keeps, all alike
  for (int i = 0; i < 300; ++i) lines += "waiting for it\n";
  lines = lines.substr(lines.size() - azure::kTailBytes);
  const Row rows[] = {
      {"", "", "", false},
      {"", "abc", "abc", false},
      {"abc", "abc", "", false},
      {"abc", "abcd", "d", false},
      {"first " + known, known + " and more", " and more", false},
      {"first\n", "\nthe tail of much", "\nthe tail of much", true},
      {"abcd", "wxyz", "wxyz", true},
      {"lost \xC3\xA9" + known, "\xEF\xBF\xBD" + known + "!", "!", false},
      {lines, lines, "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.before);
    CAPTURE(row.now);
    const azure::News news = azure::news_of(row.before, row.now);
    CHECK(news.text == row.news);
    CHECK(news.has_gap == row.has_gap);
  }
}
