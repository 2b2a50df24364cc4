#include <doctest/doctest.h>

#include "azure/find_machines.hpp"
#include "azure/rights.hpp"
#include "azure/ticket.hpp"
#include "azure_stage.hpp"
#include "json/read.hpp"

using azure_stage::Stage;
using azure_stage::Turn;

namespace {

std::string about(const std::string& name, const std::string& tags) {
  return R"({"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/)" +
         name + R"(","tags":)" + tags + "}";
}

std::vector<std::string> found(Stage& stage, const azure::Where& where) {
  return azure::shown_names(azure::find_machines(stage.arm, stage.http(), where));
}

azure::Where in_group() {
  azure::Where where;
  where.subscription = "s";
  where.resource_group = "g";
  return where;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("machines: what is named is not asked for, and comes once") {
  Stage stage({Turn{500}});
  azure::Where where = in_group();
  where.names = {"a", "b", "A"};
  where.ids = {"/subscriptions/s/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/b",
               "/subscriptions/s/resourceGroups/h/providers/Microsoft.Compute/virtualMachines/a"};
  where.scale_set = "ss";
  where.instances = {"0", "2"};
  CHECK(found(stage, where) == Names{"g/a", "b", "h/a", "ss/0", "ss/2"});
  CHECK(stage.exchanged.empty());
}

TEST_CASE("machines: by tags, over pages") {
  const std::string next = azure_stage::kArm + "/next";
  const auto stage_of_pages = [&next] {
    return std::make_unique<Stage>(std::deque<Turn>{
        Turn{200, R"({"value":[)" + about("a", R"({"role":"web","env":"prod"})") + "," +
                      about("b", R"({"Role":"web"})") + R"(],"nextLink":")" + next + "\"}"},
        Turn{200, R"({"value":[)" + about("c", R"({"ROLE":"db"})") + "]}"}});
  };
  struct Row {
    std::vector<azure::Tag> tags;
    Names names;
  };
  for (const Row& row : {Row{{{"role", "web"}}, {"a", "b"}}, Row{{{"role", {}}}, {"a", "b", "c"}},
                         Row{{{"role", "web"}, {"env", "prod"}}, {"a"}}}) {
    const auto stage = stage_of_pages();
    azure::Where where = in_group();
    where.tags = row.tags;
    CHECK(found(*stage, where) == row.names);
    CHECK(stage->exchanged[1].url == next);
  }
  const auto none = stage_of_pages();
  azure::Where where = in_group();
  where.tags = {{"role", "Web"}};
  CHECK_THROWS_AS(found(*none, where), base::Error);
}

TEST_CASE("machines: a list that goes on elsewhere gets no token") {
  Stage stage({Turn{200, R"({"value":[],"nextLink":"https://evil.example/"})"}});
  azure::Where where = in_group();
  where.all = true;
  CHECK_THROWS_AS(found(stage, where), base::Error);
  CHECK(stage.exchanged.size() == 1);
}

TEST_CASE("rights: patterns, and what is taken back") {
  const auto allowed = [](const std::string& actions, const std::string& not_actions) {
    const std::string text =
        R"({"value":[{"actions":)" + actions + R"(,"notActions":)" + not_actions + "}]}";
    return azure::allows(json::parse(text, "test"),
                         "Microsoft.Compute/virtualMachines/runCommand/action");
  };
  CHECK(allowed(R"(["*"])", "[]"));
  CHECK(allowed(R"(["microsoft.compute/virtualmachines/*"])", "[]"));
  CHECK(allowed(R"(["Microsoft.Compute/*/action"])", "[]"));
  CHECK(allowed(R"(["x","Microsoft.Compute/virtualMachines/runCommand/action"])", "[]"));
  CHECK_FALSE(allowed(R"(["*/read"])", "[]"));
  CHECK_FALSE(allowed(R"(["*"])", R"(["Microsoft.Compute/virtualMachines/runCommand/*"])"));
  CHECK_FALSE(allowed("[]", "[]"));
  CHECK_FALSE(azure::allows(json::Value(), "x"));
}

TEST_CASE("ticket: there and back; what is none") {
  azure::Ticket ticket;
  ticket.arm = "https://x";
  ticket.machine.subscription = "s";
  ticket.machine.resource_group = "g";
  ticket.machine.name = "m";
  ticket.shell = azure::Shell::powershell;
  ticket.nonce = "abc";
  ticket.full_output = true;
  ticket.status_url = "https://x/1";
  const std::vector<azure::Ticket> read =
      azure::read_tickets(" " + azure::write_tickets({ticket, ticket}) + "\n");
  REQUIRE(read.size() == 2);
  CHECK(read[1].shell == azure::Shell::powershell);
  CHECK(read[1].arm == "https://x");
  CHECK(read[1].nonce == "abc");
  CHECK(read[1].full_output);
  CHECK(read[1].status_url == "https://x/1");
  CHECK(azure::resource_id(read[1].machine) == azure::resource_id(ticket.machine));
  for (const char* text : {"", "!", "W10", "e30", "W3t9XQ", "bm9uc2Vuc2U"}) {
    CHECK_THROWS_AS(azure::read_tickets(text), base::Error);
  }
}
