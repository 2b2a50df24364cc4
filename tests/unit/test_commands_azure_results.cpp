#include <doctest/doctest.h>

#include "commands/azure_results.hpp"
#include "json/write.hpp"

using azure::Outcome;
using azure::Result;
using commands::Ran;

namespace {

Result ended(int64_t exit_code) {
  Result result;
  result.outcome = exit_code == 0 ? Outcome::succeeded : Outcome::failed;
  result.exit_code = exit_code;
  return result;
}

Result broken(base::ExitCode code) {
  Result result;
  result.outcome = Outcome::error;
  result.error = base::Error(code, "why\nso | <b>");
  return result;
}

int code_of(const std::vector<Result>& results, bool remote) {
  std::vector<Ran> all;
  for (const Result& result : results) all.push_back({"m", "id", "", result});
  return commands::azure_exit_code(all, remote);
}

}  // namespace

TEST_CASE("azure results: one exit code of many") {
  CHECK(code_of({}, false) == 0);
  CHECK(code_of({ended(0), ended(0)}, false) == 0);
  CHECK(code_of({ended(0), ended(3)}, false) == 1);
  CHECK(code_of({ended(3), broken(base::exit_refused), broken(base::exit_missing_input)}, false) ==
        77);
}

TEST_CASE("azure results: a script's own code, but never 0 for a failure") {
  CHECK(code_of({ended(0), ended(3), ended(4)}, true) == 3);
  CHECK(code_of({ended(255)}, true) == 255);
  for (const int64_t code : {int64_t{256}, int64_t{-1}, int64_t{-1'073'741'819}, int64_t{65'536}}) {
    CAPTURE(code);
    CHECK(code_of({ended(code)}, true) == 1);
  }
}

TEST_CASE("azure results: a script that succeeded, but whose output was asked for in vain") {
  Result result = ended(0);
  result.rest_error = base::Error(base::exit_retries_spent, "gone");
  CHECK(code_of({result}, false) == 75);
  CHECK(code_of({ended(3), result}, false) == 1);
  CHECK_FALSE(commands::is_well({"m", "id", "", result}));
}

TEST_CASE("azure results: table and summary hold one line a machine, whatever its error holds") {
  const Result bad = broken(base::exit_refused);
  const Result good = ended(0);
  const Result never;
  const std::vector<Ran> all = {
      {"web1", "id1", "", good}, {"a-long-name", "id2", "", bad}, {"db", "id3", "", never}};
  CHECK(commands::results_table(all) ==
        "machine      result      exit code  seconds\n"
        "web1         succeeded           0        0\n"
        "a-long-name  error               -        0  why so | <b>\n"
        "db           not run             -        0\n"
        "3 machines: 1 error, 1 not run, 1 succeeded\n");
  const std::string markdown = commands::results_markdown(all);
  CHECK(markdown.find("| a-long-name | error | - | 0 | why so \\| &lt;b> |") != std::string::npos);
  CHECK(markdown.find("a-long-name") < markdown.find("web1"));  // what went wrong first
}

TEST_CASE("azure results: JSON names what came and what did not") {
  Result result = ended(2);
  result.output = {"abc", 6, 9, true};
  CHECK(json::write(commands::result_json({"m", "id", "tok", result}, true)) ==
        R"({"name":"m","id":"id","outcome":"failed","exit_code":2,"seconds":0,"stdout":"abc",)"
        R"("stdout_bytes":9,"stdout_cut":true,"stderr":"","stderr_cut":false,)"
        R"("attach_token":"tok"})");
}
