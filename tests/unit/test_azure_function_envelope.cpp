#include <doctest/doctest.h>

#include <string>

#include "azure/function_envelope.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

std::string header_of(const net::Headers& headers, const std::string& name) {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return "(none)";
}

}  // namespace

TEST_CASE("an HTTP trigger's envelope holds the request") {
  const auto envelope = azure::read_envelope(R"({"Data":{"req":{
    "Url":"https://x.example/api/events?a=b","Method":"POST","Query":"{}","Params":{},
    "Headers":{"X-Slack-Signature":["v0=1","v0=2"],"Content-Type":"application/json","Empty":[],
               "N":[7],"O":true},
    "Body":"{\"type\": \"x\"}"}},"Metadata":{}})");
  REQUIRE(envelope.has_value());
  REQUIRE(envelope->request.has_value());
  const azure::EnvelopedRequest& request = *envelope->request;
  CHECK(request.method == "POST");
  CHECK(request.url == "https://x.example/api/events?a=b");
  CHECK(request.body == "{\"type\": \"x\"}");
  CHECK(request.headers.size() == 4);
  CHECK(header_of(request.headers, "x-slack-signature") == "v0=1");
  CHECK(header_of(request.headers, "content-type") == "application/json");
  CHECK(header_of(request.headers, "empty") == "(none)");
  CHECK(header_of(request.headers, "n") == "7");
  CHECK(header_of(request.headers, "o") == "true");
}

TEST_CASE("bodies that the host made JSON of") {
  struct {
    std::string body;
    std::string text;
  } const rows[] = {
      {R"("")", ""},       {R"("a\u0000b")", std::string("a\0b", 3)},
      {"null", ""},        {R"({"a":1})", R"({"a":1})"},
      {"[1, 2]", "[1,2]"}, {"7", "7"},
      {"false", "false"},  {R"("command=%2Fa")", "command=%2Fa"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto envelope = azure::read_envelope(R"({"Data":{"req":{"Url":"u","Method":"m","Body":)" +
                                               row.body + R"(}},"Metadata":{}})");
    REQUIRE(envelope.has_value());
    REQUIRE(envelope->request.has_value());
    CHECK(envelope->request->body == row.text);
  }
}

TEST_CASE("requests with members missing or of wrong types") {
  for (const std::string request :
       {R"({"Url":1,"Method":[]})", R"({"Url":null,"Method":null,"Headers":null,"Body":null})",
        R"({"Url":{},"Method":{},"Headers":[["a","b"]]})",
        R"({"Url":"","Method":"","Headers":"x"})"}) {
    CAPTURE(request);
    const auto envelope =
        azure::read_envelope(R"({"Data":{"req":)" + std::string(request) + R"(},"Metadata":{}})");
    REQUIRE(envelope.has_value());
    REQUIRE(envelope->request.has_value());
    CHECK(envelope->request->url == "");
    CHECK(envelope->request->method == "");
    CHECK(envelope->request->body == "");
    CHECK(envelope->request->headers.empty());
  }
}

TEST_CASE("another trigger's data is kept as it is") {
  for (const std::string data :
       {R"({"item":"\"text\""})", R"({})", R"({"timer":{"IsPastDue":false}})",
        R"({"blob":{"Url":"u"},"other":{"Method":"GET"}})",
        R"({"a":[{"Url":"u","Method":"m"}]})"}) {
    CAPTURE(data);
    const auto envelope =
        azure::read_envelope(R"({"Data":)" + std::string(data) + R"(,"Metadata":{"x":1}})");
    REQUIRE(envelope.has_value());
    CHECK(!envelope->request.has_value());
    CHECK(json::write(envelope->data) == data);
  }
}

TEST_CASE("other documents are no envelopes") {
  for (const std::string& body :
       {std::string(), std::string("  "), std::string("x"), std::string("{"), std::string("{}"),
        std::string("[]"), std::string("null"), std::string(R"([{"Data":{},"Metadata":{}}])"),
        std::string(R"({"Data":{}})"), std::string(R"({"Metadata":{}})"),
        std::string(R"({"Data":[],"Metadata":{}})"), std::string(R"({"Data":{},"Metadata":""})"),
        std::string(R"({"Data":null,"Metadata":{}})"), std::string(R"({"data":{},"metadata":{}})"),
        std::string(R"({"Data":{},"Metadata":{}} x)"),
        std::string(R"({"type":"event_callback","event":{"Data":{},"Metadata":{}}})"),
        std::string(R"({"Data":{"a":")") + "\xFF" + R"("},"Metadata":{}})"}) {
    CAPTURE(body);
    CHECK(!azure::read_envelope(body).has_value());
  }
  CHECK(azure::read_envelope("\n {\"Metadata\":{},\"Data\":{}}\n").has_value());
}

TEST_CASE("the answer of an HTTP trigger") {
  CHECK(azure::http_answer(200, {}, "") ==
        R"({"Outputs":{"res":{"statusCode":200,"headers":{},"body":""}},)"
        R"("Logs":[],"ReturnValue":null})");
  CHECK(azure::http_answer(405, {{"Allow", "POST"}, {"X", "a\"b"}}, "<\n>") ==
        R"({"Outputs":{"res":{"statusCode":405,"headers":{"Allow":"POST","X":"a\"b"},)"
        R"("body":"<\n>"}},"Logs":[],"ReturnValue":null})");
}

TEST_CASE("the answer of another trigger") {
  CHECK(azure::trigger_answer(json::Object{}, nullptr, "") ==
        R"({"Outputs":{},"Logs":[],"ReturnValue":null})");
  CHECK(azure::trigger_answer(json::Object{{"queue", json::Array{1, "a"}}}, "done", "one\ntwo") ==
        R"({"Outputs":{"queue":[1,"a"]},"Logs":["one\ntwo"],"ReturnValue":"done"})");
}
