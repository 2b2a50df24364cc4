#include <doctest/doctest.h>

#include <string>

#include "net/hide.hpp"

namespace {

std::string hidden(const std::string& body, const std::string& secret) {
  net::HttpResponse reply{200, {}, body};
  net::hide(reply, secret);
  return reply.body;
}

}  // namespace

TEST_CASE("a secret is taken out of a reply, wherever and however often it stands there") {
  CHECK(hidden("you sent xoxb-12345678", "xoxb-12345678") == "you sent ***");
  CHECK(hidden("xoxb-12345678, again xoxb-12345678", "xoxb-12345678") == "***, again ***");
  CHECK(hidden("nothing of it", "xoxb-12345678") == "nothing of it");
  CHECK(hidden("", "xoxb-12345678").empty());
}

TEST_CASE("what might be an ordinary word, or is nothing, is not looked for") {
  CHECK(hidden("a token for you", "token") == "a token for you");
  CHECK(hidden("anything", "") == "anything");
}
