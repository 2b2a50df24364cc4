#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "eventstore/type_filter.hpp"

namespace {

using eventstore::Event;
using eventstore::Filter;
using eventstore::LocalFilter;

bool takes(const Filter& filter, const std::string& stream, const std::string& type) {
  Event event;
  event.stream = stream;
  event.type = type;
  return LocalFilter(filter).takes(event);
}

}  // namespace

TEST_CASE("events are taken by the beginning of a name or by an expression") {
  using On = Filter::On;
  struct {
    Filter filter;
    std::string stream;
    std::string type;
    bool taken;
  } const rows[] = {
      {{On::type, "", {"Order"}}, "a", "OrderPlaced", true},
      {{On::type, "", {"Order"}}, "Order-1", "order", false},
      {{On::type, "", {"X", "Ord"}}, "a", "Ord", true},
      {{On::type, "", {"Order"}}, "a", "Ord", false},
      {{On::type, "", {}}, "a", "Order", false},
      {{On::type, "Placed$", {}}, "a", "OrderPlaced", true},
      {{On::type, "^Placed", {}}, "a", "OrderPlaced", false},
      {{On::type, "(?i)ORDER", {}}, "a", "anorderplaced", true},
      {{On::type, "^Order", {"X"}}, "a", "X", false},
      {{On::stream, "", {"order-"}}, "order-1", "x", true},
      {{On::stream, "-[0-9]+$", {}}, "order-x", "a-1", false},
      {{On::stream, "^[^$]", {}}, "$system", "x", false},
      {{On::stream, "", {"\xFF"}}, "\xFF\xFE", "x", true},
      {{On::stream, "^a", {}}, "a\xFF", "x", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.filter.regex);
    CAPTURE(row.stream);
    CAPTURE(row.type);
    CHECK(takes(row.filter, row.stream, row.type) == row.taken);
  }
}

TEST_CASE("a wrong expression is refused with the reason") {
  for (const char* regex : {"(", "[a", "(?=a)", "*"}) {
    CAPTURE(regex);
    try {
      const LocalFilter filter({Filter::On::type, regex, {}});
      FAIL("taken");
    } catch (const base::Error& error) {
      CHECK(error.code() == base::exit_usage);
      CHECK(std::string(error.what()).starts_with("the regular expression for event types is "));
    }
  }
}
