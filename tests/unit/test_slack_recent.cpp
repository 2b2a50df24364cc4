#include <doctest/doctest.h>

#include <string>

#include "slack/recent.hpp"

TEST_CASE("what was added is known, the rest is new") {
  slack::Recent recent(10, 1'000);
  CHECK(!recent.has("a"));
  CHECK(recent.add("a", 0));
  CHECK(recent.has("a"));
  CHECK(!recent.add("a", 0));
  CHECK(!recent.add("a", 999));
  CHECK(recent.add("b", 999));
  CHECK(recent.add("A", 999));
  CHECK(recent.add("", 999));
  CHECK(!recent.add("", 999));
}

TEST_CASE("it is forgotten after its time, counted from when it was new") {
  slack::Recent recent(10, 1'000);
  CHECK(recent.add("a", 0));
  CHECK(!recent.add("a", 999));
  CHECK(recent.add("a", 1'000));
  CHECK(!recent.add("a", 1'999));
  CHECK(recent.add("a", 5'000));
}

TEST_CASE("the oldest gives way when there are too many") {
  slack::Recent recent(2, 1'000);
  CHECK(recent.add("a", 0));
  CHECK(recent.add("b", 0));
  CHECK(recent.add("c", 0));
  CHECK(!recent.has("a"));
  CHECK(!recent.add("b", 0));
  CHECK(!recent.add("c", 0));
  CHECK(recent.add("a", 0));
  CHECK(!recent.has("b"));
}

TEST_CASE("what comes again takes nobody's place") {
  slack::Recent recent(2, 1'000);
  CHECK(recent.add("a", 0));
  CHECK(recent.add("b", 0));
  CHECK(!recent.add("b", 0));
  CHECK(!recent.add("a", 0));
  CHECK(!recent.add("b", 0));
  slack::Recent one(1, 1'000);
  CHECK(one.add("a", 0));
  CHECK(!one.add("a", 0));
}

TEST_CASE("what is taken back is new again, and takes no place") {
  slack::Recent recent(2, 1'000);
  CHECK(recent.add("a", 0));
  CHECK(recent.add("b", 0));
  recent.forget("a");
  recent.forget("a");
  recent.forget("never");
  CHECK(!recent.has("a"));
  CHECK(recent.add("c", 0));
  CHECK(recent.has("b"));
  CHECK(recent.add("a", 0));
  CHECK(!recent.has("b"));
}

TEST_CASE("what is added again after it was taken back lives its whole time") {
  slack::Recent recent(10, 1'000);
  CHECK(recent.add("a", 0));
  recent.forget("a");
  CHECK(recent.add("a", 900));
  CHECK(recent.add("b", 1'000));
  CHECK(!recent.add("a", 1'899));
}

TEST_CASE("no more is kept than allowed") {
  slack::Recent recent(100, 1'000);
  for (int i = 0; i < 10'000; ++i) CHECK(recent.add(std::to_string(i), i / 1'000));
  int known = 0;
  for (int i = 0; i < 10'000; ++i) known += recent.has(std::to_string(i)) ? 1 : 0;
  CHECK(known == 100);
}
