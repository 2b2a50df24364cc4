#include <doctest/doctest.h>

#include "azure/operation.hpp"
#include "base/error.hpp"

namespace {

const std::string kArm = "https://management.azure.com";
const std::string kStatus = kArm + "/operations/1?t=1&c=" + std::string(6'000, 'x');
const std::string kResult = kArm + "/operations/1?monitor=true";

net::HttpResponse reply(int status, const std::string& body, const net::Headers& headers = {}) {
  net::HttpResponse made;
  made.status = status;
  made.headers = headers;
  made.body = body;
  return made;
}

azure::Operation begun(const net::Headers& headers) {
  return azure::begin_operation(reply(202, "", headers), kArm);
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const base::Error& error) {
    CHECK(error.code() == 76);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("operation: the address of the state is asked first, then that of the result") {
  azure::Operation operation = begun({{"azure-asyncoperation", kStatus}, {"location", kResult}});
  CHECK(azure::next_url(operation) == kStatus);
  azure::advance(operation, reply(200, R"({"status":"InProgress"})"));
  CHECK_FALSE(operation.is_over);
  azure::advance(operation, reply(200, R"({"status":"Succeeded"})"));
  CHECK_FALSE(operation.is_over);
  CHECK(azure::next_url(operation) == kResult);
  azure::advance(operation, reply(200, R"({"value":[]})"));
  CHECK(azure::succeeded(operation));
  CHECK(json::find(operation.result, "value") != nullptr);
}

TEST_CASE("operation: a page in place of Azure's answer may have followed a start") {
  const auto begin = [] { azure::begin_operation(reply(200, "<html>Sign in</html>"), kArm); };
  CHECK(error_of(begin).find("the script may be running") != std::string::npos);
}

TEST_CASE("operation: the result may come with the state") {
  for (const char* output : {R"({"value":[]})", "[]"}) {
    azure::Operation operation = begun({{"azure-asyncoperation", kStatus}});
    azure::advance(operation, reply(200, std::string(R"({"status":"Succeeded","properties":)") +
                                             R"({"output":)" + output + "}}"));
    CHECK(azure::succeeded(operation));
    CHECK_FALSE(json::is_null(&operation.result));
  }
}

TEST_CASE("operation: only the address of the result") {
  azure::Operation operation = begun({{"location", kResult}});
  azure::advance(operation, reply(202, ""));
  CHECK_FALSE(operation.is_over);
  azure::advance(operation, reply(200, R"({"value":[1]})"));
  CHECK(azure::succeeded(operation));
}

TEST_CASE("operation: over at once") {
  const azure::Operation operation = azure::begin_operation(reply(200, R"({"value":[]})"), kArm);
  CHECK(azure::succeeded(operation));
}

TEST_CASE("operation: states in any case, with their errors") {
  struct Row {
    const char* state;
    bool is_over;
    bool succeeded;
  };
  for (const Row& row : {Row{"SUCCEEDED", true, true}, Row{"failed", true, false},
                         Row{"Canceled", true, false}, Row{"cancelled", true, false},
                         Row{"inprogress", false, false}, Row{"Updating", false, false}}) {
    CAPTURE(row.state);
    azure::Operation operation = begun({{"azure-asyncoperation", kStatus}});
    azure::advance(operation,
                   reply(200, std::string(R"({"status":")") + row.state +
                                  R"(","error":{"code":"C","message":"line 1\nline 2"}})"));
    CHECK(operation.is_over == row.is_over);
    CHECK(azure::succeeded(operation) == row.succeeded);
    CHECK(operation.fault.message == "line 1 line 2");
  }
}

TEST_CASE("operation: an address elsewhere is not followed") {
  for (const char* url : {"https://evil.example/operations/1", "http://management.azure.com/1",
                          "https://management.azure.com.evil.example/1", "/relative",
                          "https://management.azure.com:8443/1"}) {
    CAPTURE(url);
    CHECK(error_of([url] {
            begun({{"azure-asyncoperation", url}});
          }).find("no token is sent") != std::string::npos);
    CHECK_FALSE(error_of([url] {
                  begun({{"azure-asyncoperation", kStatus}, {"location", url}});
                }).empty());
  }
}

TEST_CASE("operation: no address, no state, no JSON") {
  CHECK(error_of([] { begun({}); }).find("may be running") != std::string::npos);
  azure::Operation operation = begun({{"azure-asyncoperation", kStatus}});
  for (const char* body : {"", "{}", "<html>", "[]", R"({"status":3})"}) {
    CAPTURE(body);
    CHECK_FALSE(error_of([&] { azure::advance(operation, reply(200, body)); }).empty());
  }
}
