#include <doctest/doctest.h>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <string>

#include "base/error.hpp"
#include "eventstore/inquiry.hpp"

using protozero::pbf_writer;

TEST_CASE("a server's version stands behind the list of what it can do") {
  std::string bytes;
  pbf_writer reply(bytes);
  {
    pbf_writer method(reply, 1);
    method.add_string(1, "read");
    method.add_string(2, "streams");
  }
  reply.add_string(2, "25.1.0\n");
  CHECK(eventstore::version_in(bytes) == "25.1.0 ");
  CHECK(eventstore::version_in("").empty());
  CHECK_THROWS_AS(eventstore::version_in(bytes.substr(0, bytes.size() - 1)), base::Error);
}

TEST_CASE("the question for a group of a stream and of $all") {
  for (const std::string stream : {"orders", ""}) {
    CAPTURE(stream);
    const std::string question = eventstore::group_question(stream, "g");
    protozero::pbf_reader request(question);
    REQUIRE(request.next(1));
    protozero::pbf_reader options = request.get_message();
    std::string group;
    std::string asked;
    bool is_all = false;
    while (options.next()) {
      if (options.tag() == 1) {
        protozero::pbf_reader identifier = options.get_message();
        REQUIRE(identifier.next(3));
        asked = identifier.get_string();
      } else if (options.tag() == 2) {
        is_all = true;
        options.skip();
      } else {
        group = options.get_string();
      }
    }
    CHECK(group == "g");
    CHECK(asked == stream);
    CHECK(is_all == stream.empty());
  }
}
