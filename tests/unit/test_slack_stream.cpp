#include <doctest/doctest.h>

#include <deque>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "slack/client.hpp"
#include "slack/stream.hpp"

namespace {

// Input that comes at its times, on a clock that only waiting moves.
struct World {
  struct Chunk {
    int64_t at_ms;
    std::string bytes;
  };
  std::deque<Chunk> input;
  bool stops = false;  // at the end of the input a stop is asked for instead of an end
  int64_t now_ms = 0;
  size_t most_asked = 0;
  std::vector<std::string> posts;
  std::vector<int64_t> times_ms;

  base::Clock clock() {
    return {[this] { return now_ms; }, [] { return int64_t{1'700'000'000}; },
            [this](int64_t ms) { now_ms += ms; }};
  }

  slack::Feed feed() {
    return [this](std::string& to, size_t most, int64_t wait_ms) {
      most_asked = std::max(most_asked, most);
      REQUIRE(most > 0);
      if (input.empty()) return stops ? base::Came::stop : base::Came::end;
      Chunk& next = input.front();
      if (wait_ms >= 0 && next.at_ms > now_ms + wait_ms) {
        now_ms += wait_ms;
        return base::Came::nothing;
      }
      now_ms = std::max(now_ms, next.at_ms);
      to += next.bytes.substr(0, most);
      next.bytes.erase(0, most);
      if (next.bytes.empty()) input.pop_front();
      return base::Came::bytes;
    };
  }

  slack::StreamOptions options() {
    slack::StreamOptions options;
    options.encode = [](const std::string& lines) { return lines; };
    options.post = [this](const std::string& text, int64_t /*lines*/) {
      posts.push_back(text);
      times_ms.push_back(now_ms);
    };
    return options;
  }

  slack::StreamResult run(const slack::StreamOptions& options) {
    return slack::stream(feed(), clock(), options);
  }
};

std::string numbered(int from, int to) {
  std::string lines;
  for (int i = from; i < to; ++i) lines += std::to_string(i) + "\n";
  return lines;
}

std::string joined(const std::vector<std::string>& posts) {
  return base::join(posts, "\n") + "\n";
}

}  // namespace

TEST_CASE("the first line goes at once, what comes meanwhile goes together an interval later") {
  World world;
  world.input = {{100, "a\n"}, {200, "b\n"}, {300, "c\nd"}, {400, "e\n"}, {5'000, "f\n"}};
  const slack::StreamResult result = world.run(world.options());
  CHECK(world.posts == std::vector<std::string>{"a", "b\nc\nde", "f"});
  CHECK(world.times_ms == std::vector<int64_t>{100, 1'100, 5'000});
  CHECK(result.lines == 5);
  CHECK(result.messages == 3);
  CHECK(result.undelivered == 0);
  CHECK_FALSE(result.error);
}

TEST_CASE("a last line without a line break is a line; a stop is an end") {
  for (const bool stops : {false, true}) {
    World world;
    world.stops = stops;
    world.input = {{0, "a\nb"}};
    bool ended = false;
    slack::StreamOptions options = world.options();
    options.on_end = [&] { ended = true; };
    const slack::StreamResult result = world.run(options);
    CHECK(joined(world.posts) == "a\nb\n");
    CHECK(result.lines == 2);
    CHECK(ended);
  }
}

TEST_CASE("many lines: order kept, limits held, a message an interval, a bounded buffer") {
  World world;
  world.input = {{0, numbered(0, 20'000)}};
  slack::StreamOptions options = world.options();
  options.buffer_bytes = 10'000;
  const slack::StreamResult result = world.run(options);
  CHECK(joined(world.posts) == numbered(0, 20'000));
  CHECK(world.most_asked <= 10'000);
  for (const std::string& post : world.posts) CHECK(base::utf16_length(post) <= 4'000);
  for (size_t i = 1; i < world.times_ms.size(); ++i) {
    CHECK(world.times_ms[i] - world.times_ms[i - 1] >= 1'000);
  }
  CHECK(result.lines == 20'000);
  CHECK(result.messages == static_cast<int64_t>(world.posts.size()));
}

TEST_CASE("a line longer than the buffer goes out in parts, without tearing a code point apart") {
  World world;
  std::string line;
  for (int i = 0; i < 9'001; ++i) line += "\xC3\xBC";
  world.input = {{0, line + "\nend\n"}};
  slack::StreamOptions options = world.options();
  options.buffer_bytes = 5'001;
  const slack::StreamResult result = world.run(options);
  std::string all;
  for (const std::string& post : world.posts) {
    CHECK_FALSE(base::first_invalid_utf8(post));
    CHECK(base::utf16_length(post) <= 4'000);
    all += post;
  }
  CHECK(base::replace_all(all, "\n", "") == line + "end");
  CHECK(result.lines == 2);
}

TEST_CASE("what is escaped counts as long as it is sent") {
  World world;
  world.input = {{0, std::string(3'000, '<') + "\nb\n"}};
  slack::StreamOptions options = world.options();
  options.encode = [](const std::string& lines) { return base::replace_all(lines, "<", "&lt;"); };
  world.run(options);
  for (const std::string& post : world.posts) CHECK(base::utf16_length(post) <= 4'000);
  CHECK(world.posts.back() == "b");
}

TEST_CASE("blank lines are delivered by sending nothing") {
  World world;
  world.input = {{0, "\n \n\n"}};
  const slack::StreamResult result = world.run(world.options());
  CHECK(world.posts.empty());
  CHECK(result.lines == 3);
}

TEST_CASE("an error ends it, and what was not posted is counted") {
  World world;
  world.input = {{0, "a\n"}, {100, "b\nc\nd"}};
  slack::StreamOptions options = world.options();
  options.post = [&](const std::string& text, int64_t /*lines*/) {
    if (text != "a") throw base::Error(base::exit_configuration, "is_archived");
    world.posts.push_back(text);
  };
  const slack::StreamResult result = world.run(options);
  REQUIRE(result.error);
  CHECK(result.error->code() == base::exit_configuration);
  CHECK(result.lines == 1);
  CHECK(result.undelivered == 3);
}

TEST_CASE("an error of the pause between two messages is told like any other") {
  World world;
  world.input = {{0, numbered(0, 2'000)}};
  const slack::StreamOptions options = world.options();
  base::Clock clock = world.clock();
  clock.sleep_ms = [](int64_t /*ms*/) {
    throw base::Error(base::exit_retries_spent, "no time is left");
  };
  const slack::StreamResult result = slack::stream(world.feed(), clock, options);
  REQUIRE(result.error);
  CHECK(result.error->code() == base::exit_retries_spent);
  CHECK(result.messages == 1);
  CHECK(result.undelivered > 0);
  CHECK(result.lines + result.undelivered == 2'000);
}

TEST_CASE("markup that is trusted is split as markup") {
  World world;
  std::string line;
  for (int i = 0; i < 300; ++i) line += "<https://x.example/|label>";
  world.input = {{0, line + "\n"}};
  slack::StreamOptions options = world.options();
  options.markup = slack::Markup::mrkdwn;
  world.run(options);
  size_t links = 0;
  for (const std::string& post : world.posts) {
    CHECK(post.ends_with(">"));
    for (size_t at = post.find("<https"); at != std::string::npos; at = post.find("<https", at + 1))
      ++links;
  }
  CHECK(links == 300);
}

TEST_CASE("what was read before the input failed is delivered, then the failure is told") {
  World world;
  slack::StreamOptions options = world.options();
  const slack::Feed feed = [](std::string& to, size_t /*most*/, int64_t /*wait_ms*/) -> base::Came {
    to += "a\nb";  // a feed may have taken something before it fails
    throw base::Error(base::exit_local_io, "no more");
  };
  const slack::StreamResult result = slack::stream(feed, world.clock(), options);
  CHECK(world.posts == std::vector<std::string>{"a\nb"});
  REQUIRE(result.error);
  CHECK(result.error->code() == base::exit_local_io);
  CHECK(result.undelivered == 0);
}

TEST_CASE("ten minutes of 429s: every line arrives, once, in order, and memory is bounded") {
  World world;
  for (int second = 0; second < 700; ++second) {
    world.input.push_back({second * 1'000, numbered(second * 100, second * 100 + 100)});
  }
  int64_t refused = 0;
  slack::Line line;
  line.clock = world.clock();
  line.retry.budget_ms = 86'400'000;
  line.http = [&](const net::HttpRequest& request) {
    if (world.now_ms >= 20'000 && world.now_ms < 620'000) {
      ++refused;
      return net::HttpResponse{429, {{"retry-after", refused % 2 == 0 ? "30" : "1"}}, "x"};
    }
    world.posts.push_back(request.body);
    return net::HttpResponse{200, {}, "ok"};
  };
  const slack::Sender sender{"https://hooks.slack.com/services/T/B/X", "", ""};
  slack::StreamOptions options = world.options();
  options.post = [&](const std::string& text, int64_t /*lines*/) {
    slack::send(sender, {"", {{"text", text}}}, line);
  };
  const slack::StreamResult result = world.run(options);
  CHECK_FALSE(result.error);
  CHECK(refused > 20);
  std::string all;
  for (const std::string& post : world.posts) {
    const size_t start = std::string(R"({"text":")").size();
    all += base::replace_all(post.substr(start, post.size() - start - 2), "\\n", "\n") + "\n";
  }
  CHECK(all == numbered(0, 70'000));
  CHECK(result.lines == 70'000);
  CHECK(world.most_asked <= 65'536);
}
