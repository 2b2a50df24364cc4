#include <doctest/doctest.h>

#include <cstring>

#include "json/write.hpp"
#include "slack/errors.hpp"
#include "slack/upload.hpp"

namespace {

constexpr const char* kSlot =
    R"({"ok":true,"upload_url":"https://files.example/u/1","file_id":"F1"})";

struct Fake {
  std::vector<net::HttpResponse> replies;
  std::vector<net::HttpRequest> requests;
  std::vector<std::string> bytes;  // of streamed bodies
  int64_t now_ms = 0;

  slack::Line line() {
    slack::Line line;
    line.http = [this](const net::HttpRequest& request) {
      requests.push_back(request);
      REQUIRE(requests.size() <= replies.size());
      if (request.stream) bytes.push_back(read(*request.stream));
      return replies[requests.size() - 1];
    };
    line.clock = {[this] { return now_ms; }, [] { return int64_t{1'700'000'000}; },
                  [this](int64_t ms) { now_ms += ms; }};
    return line;
  }

  static std::string read(const net::BodyStream& stream) {
    std::string all;
    char chunk[3];
    while (static_cast<int64_t>(all.size()) < stream.bytes) {
      all.append(chunk, stream.read(static_cast<int64_t>(all.size()), chunk, sizeof chunk));
    }
    return all;
  }
};

slack::File file_of(const std::string& text) {
  return {"a log.txt",
          "",
          {static_cast<int64_t>(text.size()), [text](int64_t at, char* to, size_t most) {
             const size_t bytes = std::min(most, text.size() - static_cast<size_t>(at));
             std::memcpy(to, text.data() + at, bytes);
             return bytes;
           }}};
}

const slack::Sender kToken{"", "xoxb-1", "https://slack.example/api"};

}  // namespace

TEST_CASE("a file: address, bytes, and what completes it; no token goes to the address") {
  Fake fake{{{200, {}, kSlot}, {200, {}, "OK - 5"}}, {}, {}, 0};
  const json::Array files = slack::upload(kToken, {file_of("bytes")}, fake.line(), {});
  CHECK(json::write(files) == R"([{"id":"F1","title":"a log.txt"}])");
  REQUIRE(fake.requests.size() == 2);
  CHECK(fake.requests[0].url == "https://slack.example/api/files.getUploadURLExternal");
  CHECK(fake.requests[0].body == "filename=a%20log.txt&length=5");
  CHECK(fake.requests[1].url == "https://files.example/u/1");
  for (const auto& [name, value] : fake.requests[1].headers) CHECK(name != "Authorization");
  CHECK(fake.bytes == std::vector<std::string>{"bytes"});
}

TEST_CASE("an upload that is told to wait is sent again from its start") {
  Fake fake{{{200, {}, kSlot}, {503, {}, ""}, {200, {}, "OK"}}, {}, {}, 0};
  slack::upload(kToken, {file_of("bytes")}, fake.line(), {});
  CHECK(fake.bytes == std::vector<std::string>{"bytes", "bytes"});
  CHECK(fake.requests[1].repeatable);
}

TEST_CASE("progress ends with all the bytes") {
  Fake fake{{{200, {}, kSlot}, {200, {}, "OK"}}, {}, {}, 0};
  std::vector<int64_t> told;
  slack::upload(kToken, {file_of("bytes")}, fake.line(),
                [&](const slack::File& /*file*/, int64_t sent) { told.push_back(sent); });
  CHECK(told.back() == 5);
}

TEST_CASE("failures name the file") {
  struct Row {
    std::vector<net::HttpResponse> replies;
    int code;
  };
  const Row rows[] = {
      {{{200, {}, R"({"ok":false,"error":"missing_scope","needed":"files:write"})"}}, 77},
      {{{200, {}, R"({"ok":true})"}}, 76},
      {{{200, {}, kSlot}, {413, {}, "too large"}}, 76},
      {{{200, {}, kSlot}, {404, {}, "gone"}}, 1},
  };
  for (const Row& row : rows) {
    Fake fake{row.replies, {}, {}, 0};
    try {
      slack::upload(kToken, {file_of("bytes")}, fake.line(), {});
      FAIL("no error");
    } catch (const base::Error& error) {
      CAPTURE(error.what());
      CHECK(error.code() == row.code);
      CHECK(std::string(error.what()).starts_with("a log.txt: "));
    }
  }
}
