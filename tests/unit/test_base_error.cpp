#include <doctest/doctest.h>

#include <set>
#include <string>

#include "base/error.hpp"

TEST_CASE("an error carries its exit code and its text") {
  try {
    throw base::Error(base::exit_refused, "the service said no");
  } catch (const std::exception& error) {  // also for those that know no base::Error
    CHECK(std::string(error.what()) == "the service said no");
  }
  CHECK(base::Error(base::exit_refused, "x").code() == 77);
}

TEST_CASE("the exit codes are the ones the documentation promises") {
  const int promised[] = {0, 1, 64, 65, 66, 69, 70, 74, 75, 76, 77, 78, 130};
  const auto meanings = base::exit_code_meanings();
  REQUIRE(meanings.size() == std::size(promised));
  for (size_t i = 0; i < meanings.size(); ++i) {
    CAPTURE(i);
    CHECK(int{meanings[i].code} == promised[i]);
  }
}

TEST_CASE("every exit code has a meaning of its own, on one line") {
  std::set<std::string> seen;
  for (const auto& [code, meaning] : base::exit_code_meanings()) {
    const std::string text = meaning;
    CAPTURE(text);
    CHECK(!text.empty());
    CHECK(text.find('\n') == std::string::npos);
    CHECK(seen.insert(text).second);
  }
}
