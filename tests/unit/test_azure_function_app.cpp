#include <doctest/doctest.h>

#include <string>

#include "azure/function_app.hpp"
#include "json/read.hpp"

TEST_CASE("an app is a host.json and a function.json for each function") {
  const auto files = azure::function_app("opsbelt", {"slack-serve", "--config", "a \"b\".yaml"},
                                         {{"events", "slack/events", {"POST"}},
                                          {"status", "", {"GET", "Head"}},
                                          {"any", "{*path}", {}}});
  REQUIRE(files.size() == 4);
  CHECK(files[0].path == "host.json");
  CHECK(files[0].content ==
        R"({"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"opsbelt",)"
        R"("workingDirectory":"","arguments":["slack-serve","--config","a \"b\".yaml"]},)"
        R"("enableForwardingHttpRequest":true},"extensionBundle":)"
        R"-({"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"}})-"
        "\n");
  CHECK(files[1].path == "events/function.json");
  CHECK(files[1].content == R"({"bindings":[{"type":"httpTrigger","direction":"in","name":"req",)"
                            R"("authLevel":"anonymous","methods":["post"],"route":"slack/events"},)"
                            R"({"type":"http","direction":"out","name":"res"}]})"
                            "\n");
  CHECK(files[2].path == "status/function.json");
  CHECK(files[2].content.find(R"("methods":["get","head"]},)") != std::string::npos);
  CHECK(files[2].content.find("route") == std::string::npos);
  CHECK(files[3].content.find(R"("methods":[],"route":"{*path}")") != std::string::npos);
}

TEST_CASE("every file of an app is JSON, whatever stands in it") {
  for (const auto& file : azure::function_app("a\\b\"\n", {"\xFF", ""}, {{"f", "\"/{", {"\""}}})) {
    CAPTURE(file.content);
    CHECK(json::try_parse(file.content).has_value());
    CHECK(file.content.ends_with("}\n"));
  }
}

TEST_CASE("an app without functions has a host.json") {
  CHECK(azure::function_app("opsbelt", {}, {}).size() == 1);
}

TEST_CASE("names of functions") {
  for (const std::string& name :
       {std::string("a"), std::string("Z9"), std::string("a-b_c"), std::string(127, 'a')}) {
    CAPTURE(name);
    CHECK(azure::is_function_name(name));
  }
  for (const std::string& name :
       {std::string(), std::string("9a"), std::string("-a"), std::string("_a"), std::string("a b"),
        std::string("a/b"), std::string("../a"), std::string("a.b"), std::string("a\n"),
        std::string("a\0", 2), std::string("\xC3\xA4"), std::string("a\xC3\xA4"),
        std::string(128, 'a')}) {
    CAPTURE(name);
    CHECK(!azure::is_function_name(name));
  }
}
