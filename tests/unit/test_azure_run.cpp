#include <doctest/doctest.h>

#include "azure/run.hpp"
#include "azure_stage.hpp"
#include "base/error.hpp"
#include "json/write.hpp"
#include "net/base64.hpp"

using azure::Outcome;
using azure_stage::kArm;
using azure_stage::Stage;
using azure_stage::Turn;

namespace {

const std::string kNonce = "0123456789abcdef";
const std::string kStatus = kArm + "/operations/1";
const Turn kAccepted{202, "", {{"azure-asyncoperation", kStatus}}};
const Turn kRunning{200, R"({"status":"InProgress"})"};
const Turn kBusy{409,
                 R"({"error":{"code":"Conflict","message":"Run command extension execution is in )"
                 R"(progress. Please wait for completion before invoking a run command."}})"};

std::string frame(char stream, const std::string& bytes, const std::string& code, size_t out_total,
                  size_t err_total, size_t offset) {
  return kNonce + "+" + stream + " " + net::base64(bytes) + " b " + code + " " +
         std::to_string(out_total) + " " + std::to_string(err_total) + " " +
         std::to_string(offset) + " " + kNonce + "-" + stream + "\n";
}

Turn done(const std::string& message) {
  const json::Value body = json::Object{
      {"status", "Succeeded"},
      {"properties",
       json::Object{{"output", json::Object{{"value", json::Array{json::Object{
                                                          {"code", "ProvisioningState/succeeded"},
                                                          {"message", message}}}}}}}}};
  return {200, json::write(body)};
}

Turn reported(const std::string& out, const std::string& err, int code) {
  return done("Enable succeeded: \n[stdout]\n" +
              frame('o', out, std::to_string(code), out.size(), err.size(), 0) + "\n[stderr]\n" +
              frame('e', err, std::to_string(code), out.size(), err.size(), 0));
}

azure::Machine machine() {
  azure::Machine made;
  made.subscription = "s";
  made.resource_group = "g";
  made.name = "m";
  return made;
}

struct Playing {
  Stage stage;
  azure::Job job;
  std::vector<std::string> notices;
  std::string live;
  azure::Result result;
  std::optional<azure::Ticket> ticket;

  explicit Playing(std::deque<Turn> turns) : stage(std::move(turns)) {
    azure::Script script;
    script.text = "exit 3\n";
    job.script = script;
    job.on_notice = [this](const azure::Machine&, const std::string& text) {
      notices.push_back(text);
    };
    job.on_output = [this](const azure::Machine&, bool is_errors, const std::string& text) {
      live += (is_errors ? "E:" : "O:") + text;
    };
  }

  void play(azure::Run& run, int most_steps = 100'000) {
    for (int i = 0; i < most_steps; ++i) {
      const std::optional<int64_t> wait_ms = run.step(stage.http());
      if (!wait_ms) break;
      stage.now_ms += *wait_ms;
    }
    result = run.result();
    ticket = run.ticket();
  }

  void play() {
    azure::Run run(stage.arm, job, machine(), kNonce);
    play(run);
  }

  std::string error() const { return result.error ? result.error->what() : ""; }
  int code() const { return result.error ? result.error->code() : 0; }
};

}  // namespace

TEST_CASE("run: the exit code and both streams of a script") {
  Playing playing({kAccepted, kRunning, reported("hello\n", "oh\n", 3)});
  playing.play();
  CHECK(playing.result.outcome == Outcome::failed);
  CHECK(playing.result.exit_code == 3);
  CHECK(playing.result.output.bytes == "hello\n");
  CHECK(playing.result.errors.bytes == "oh\n");
  CHECK_FALSE(playing.result.output.is_cut);
  CHECK(playing.stage.count("POST") == 1);
  CHECK_FALSE(playing.ticket);
  Playing well({kAccepted, reported("", "", 0)});
  well.play();
  CHECK(well.result.outcome == Outcome::succeeded);
}

TEST_CASE("run: a start that may have been taken is never sent again") {
  struct Row {
    Turn turn;
    int code;
  };
  for (const Row& row : {Row{{500, "{}"}, 75}, Row{{502, "<html>"}, 75}, Row{{503, "{}"}, 75},
                         Row{{0, "", {}, base::exit_retries_spent}, 75},
                         Row{{0, "", {}, base::exit_malformed_reply}, 76}}) {
    Playing playing({row.turn, kAccepted, reported("", "", 0)});
    playing.play();
    CHECK(playing.stage.count("POST") == 1);
    CHECK(playing.result.outcome == Outcome::unfinished);  // perhaps it runs
    CHECK_FALSE(playing.ticket);
    CHECK(playing.code() == row.code);
  }
}

TEST_CASE("run: a start that was certainly not taken is sent again") {
  for (const Turn& turn : {Turn{429, "{}", {{"retry-after", "3"}}}, Turn{429, "{}"},
                           Turn{0, "", {}, base::exit_unavailable, true}, kBusy}) {
    Playing playing({turn, kAccepted, reported("", "", 0)});
    playing.play();
    CHECK(playing.stage.count("POST") == 2);
    CHECK(playing.result.outcome == Outcome::succeeded);
  }
  Playing dated({Turn{429, "{}", {{"retry-after", "Tue, 14 Nov 2023 22:14:01 GMT"}}}, kAccepted,
                 reported("", "", 0)});
  dated.play();  // the clock begins at 22:13:21
  CHECK(dated.stage.exchanged[1].at_ms - dated.stage.exchanged[0].at_ms == 40'000);
}

TEST_CASE("run: waits for another script until --wait-conflict, and says so once") {
  Playing playing({kBusy});
  playing.job.wait_conflict_ms = 60'000;
  playing.play();
  CHECK(playing.result.outcome == Outcome::error);
  CHECK(playing.code() == 69);
  CHECK(playing.error().find("--wait-conflict") != std::string::npos);
  CHECK(playing.notices.size() == 1);
  CHECK(playing.stage.now_ms <= 62'000);
  Playing none({kBusy});
  none.job.wait_conflict_ms = 0;
  none.play();
  CHECK(none.stage.count("POST") == 1);
}

TEST_CASE("run: a stopped machine is not waited for") {
  Playing playing(
      {Turn{409, R"({"error":{"code":"Conflict","message":"The operation requires the VM to be )"
                 R"(running (or set to run)."}})"}});
  playing.play();
  CHECK(playing.stage.count("POST") == 1);
  CHECK(playing.code() == 69);
  CHECK(playing.error().find("start the machine first") != std::string::npos);
}

TEST_CASE("run: while it is followed, what may pass is waited out") {
  for (const Turn& turn :
       {Turn{500, "{}"}, Turn{503, "{}"}, Turn{429, "{}"}, Turn{408, "{}"},
        Turn{200, R"({"status":)"}, Turn{200, "<html>"}, Turn{0, "", {}, base::exit_retries_spent},
        Turn{0, "", {}, base::exit_malformed_reply},
        Turn{0, "", {}, base::exit_unavailable, true}}) {
    Playing playing({kAccepted, turn, kRunning, reported("", "", 0)});
    playing.play();
    CAPTURE(turn.status);
    CAPTURE(playing.error());
    CHECK(playing.result.outcome == Outcome::succeeded);
    CHECK(playing.stage.count("POST") == 1);
  }
}

TEST_CASE("run: what does not pass ends the following, not the script: there is a ticket") {
  struct Row {
    Turn turn;
    int code;
    const char* words;
  };
  const Turn forbidden{403, R"({"error":{"code":"AuthorizationFailed","message":"no"}})"};
  for (const Row& row : {Row{forbidden, 77, "on the resource group"}, Row{{503, "{}"}, 75, "503"},
                         Row{{200, "<html>"}, 76, "not JSON"}}) {
    Playing playing({kAccepted, row.turn});
    playing.play();
    CAPTURE(playing.error());
    CHECK(playing.result.outcome == Outcome::unfinished);
    CHECK(playing.code() == row.code);
    CHECK(playing.error().find(row.words) != std::string::npos);
    CHECK(playing.ticket);
    CHECK(playing.stage.count("POST") == 1);
  }
}

TEST_CASE("run: an operation that Azure has forgotten can't be attached to") {
  Playing playing({kAccepted, Turn{404, "{}"}});
  playing.play();
  CHECK(playing.result.outcome == Outcome::unfinished);
  CHECK(playing.code() == 66);
  CHECK_FALSE(playing.ticket);
}

TEST_CASE("run: --timeout comes before a longer Retry-After") {
  Playing playing({kAccepted, Turn{200, R"({"status":"InProgress"})", {{"retry-after", "3600"}}}});
  playing.job.timeout_ms = 60'000;
  playing.play();
  CHECK(playing.code() == 75);
  CHECK(playing.stage.now_ms <= 62'000);
}

TEST_CASE("run: a token refused while polling is replaced once") {
  Playing playing({kAccepted, Turn{401, "{}"}, kRunning, Turn{401, "{}"}, reported("", "", 0)});
  playing.play();
  CHECK(playing.result.outcome == Outcome::succeeded);
  CHECK(playing.stage.tokens == 3);
  CHECK(playing.stage.exchanged[1].authorization == "Bearer token1");
  CHECK(playing.stage.exchanged[2].authorization == "Bearer token2");
  Playing always({kAccepted, Turn{401, "{}"}});
  always.play();
  CHECK(always.code() == 77);
  CHECK(always.stage.tokens == 2);
}

TEST_CASE("run: ninety minutes with tokens of one hour") {
  std::deque<Turn> turns = {kAccepted};
  for (int i = 0; i < 530; ++i) turns.push_back(kRunning);  // 10 s each
  turns.push_back(reported("done", "", 0));
  Playing playing(turns);
  playing.play();
  CHECK(playing.result.outcome == Outcome::succeeded);
  CHECK(playing.result.seconds > 5'200);
  CHECK(playing.stage.tokens == 2);
}

TEST_CASE("run: --timeout leaves an action to itself, with a ticket") {
  Playing playing({kAccepted, kRunning});
  playing.job.timeout_ms = 60'000;
  playing.play();
  CHECK(playing.result.outcome == Outcome::unfinished);
  CHECK(playing.code() == 75);
  CHECK(playing.ticket);
  CHECK(playing.stage.now_ms < 75'000);
}

TEST_CASE("run: Azure's own failures") {
  for (const char* state : {"Failed", "CANCELED"}) {
    Playing playing(
        {kAccepted, Turn{200, std::string(R"({"status":")") + state +
                                  R"(","error":{"code":"VMExtensionProvisioningTimeout",)"
                                  R"("message":"took too long"}})"}});
    playing.play();
    CHECK(playing.result.outcome == Outcome::error);
    CHECK(playing.code() == 69);
    CHECK(playing.error().find("VMExtensionProvisioningTimeout: took too long") !=
          std::string::npos);
    CHECK_FALSE(playing.ticket);
  }
}

TEST_CASE("run: no report is an error that shows what came instead") {
  Playing playing({kAccepted, done("Enable succeeded: \n[stdout]\n\n[stderr]\nno space left\n")});
  playing.play();
  CHECK(playing.code() == 76);
  CHECK(playing.error().find("no space left") != std::string::npos);
}

TEST_CASE("run: the system is asked when it must be known") {
  const std::string about =
      R"({"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m",)"
      R"("location":"l","properties":{"storageProfile":{"osDisk":{"osType":"Windows"}}}})";
  Playing playing({Turn{200, about}, kAccepted, reported("", "", 0)});
  playing.job.shell_known = false;
  playing.play();
  CHECK(playing.stage.exchanged[1].body.find("RunPowerShellScript") != std::string::npos);
  Playing known({kAccepted, reported("", "", 0)});
  known.play();
  CHECK(known.stage.exchanged[0].body.find("RunShellScript") != std::string::npos);
}

TEST_CASE("run: unwrapped, as az does it") {
  Playing playing({kAccepted, done("Enable succeeded: \n[stdout]\n" + std::string(4'096, 'x') +
                                   "\n[stderr]\nerr")});
  playing.job.raw = true;
  playing.play();
  CHECK(playing.result.outcome == Outcome::succeeded);
  CHECK_FALSE(playing.result.exit_code);
  CHECK(playing.result.output.is_cut);  // nobody can tell
  CHECK_FALSE(playing.result.errors.is_cut);
  CHECK(playing.stage.exchanged[0].body.find("exit 3") != std::string::npos);
}

TEST_CASE("run: what did not fit is fetched by further runs") {
  const auto part = [](const std::string& bytes, size_t offset, const std::string& code) {
    return done(frame('o', bytes, code, 9, 0, offset));
  };
  Playing playing({kAccepted, part("abc", 0, "5"), kAccepted, part("def", 3, "-"), kBusy, kAccepted,
                   part("ghi", 6, "-")});
  playing.job.full_output = true;
  playing.play();
  CAPTURE(playing.error());
  CHECK(playing.result.output.bytes == "abcdefghi");
  CHECK_FALSE(playing.result.output.is_cut);
  CHECK(playing.result.exit_code == 5);
  CHECK(playing.result.outcome == Outcome::failed);
  CHECK(playing.stage.count("POST") == 4);  // three starts, one of which met another script
  CHECK(playing.notices.front().find("3 of 9 bytes") != std::string::npos);
}

TEST_CASE("run: a fetch that fails loses output, never the result") {
  Playing playing({kAccepted, done(frame('o', "abc", "0", 9, 0, 0)), Turn{500, "{}"}});
  playing.job.full_output = true;
  playing.play();
  CHECK(playing.result.outcome == Outcome::succeeded);
  CHECK(playing.result.output.bytes == "abc");
  CHECK(playing.result.output.is_cut);
  CHECK(playing.result.notices.size() == 1);
  CHECK_FALSE(playing.ticket);
}

TEST_CASE("run: detached, and attached again by its ticket") {
  Playing playing({kAccepted});
  playing.job.detach = true;
  playing.play();
  CHECK(playing.result.outcome == Outcome::detached);
  REQUIRE(playing.ticket);
  Playing later({kRunning, reported("x", "", 4)});
  later.job.script.reset();
  const std::vector<azure::Ticket> tickets =
      azure::read_tickets(azure::write_tickets({*playing.ticket}));
  azure::Run run(later.stage.arm, later.job, tickets.front());
  later.play(run);
  CHECK(later.result.exit_code == 4);
  CHECK(later.result.output.bytes == "x");
  CHECK(later.stage.count("POST") == 0);
}

TEST_CASE("run: a ticket whose address is not Azure's is refused") {
  Playing playing({kRunning});
  azure::Ticket ticket;
  ticket.machine = machine();
  for (const char* arm : {"https://evil.example", "https://management.azure.com"}) {
    ticket.arm = arm;
    ticket.status_url = "https://evil.example/1";
    CHECK_THROWS_AS(azure::Run(playing.stage.arm, playing.job, ticket), base::Error);
  }
}

TEST_CASE("run: managed: put, live output with its gaps, exit code, deleted") {
  const auto view = [](const std::string& state, const std::string& output, int code) {
    return Turn{
        200,
        json::write(json::Object{
            {"properties", json::Object{{"instanceView", json::Object{{"executionState", state},
                                                                      {"output", output},
                                                                      {"exitCode", code}}}}}})};
  };
  Playing playing({Turn{201, "{}"}, view("Running", "one\n", 0), view("Running", "one\ntwo\n", 0),
                   view("Succeeded", "lost\n", 7), Turn{204, ""}});
  playing.job.managed = true;
  azure::Machine known = machine();
  known.location = "l";
  azure::Run run(playing.stage.arm, playing.job, known, kNonce);
  playing.play(run);
  CHECK(playing.live == "O:one\nO:two\nO:lost\n");
  CHECK(playing.notices.size() == 1);
  CHECK(playing.result.output.is_cut);
  CHECK(playing.result.exit_code == 7);
  CHECK(playing.result.outcome == Outcome::failed);
  CHECK(playing.stage.count("DELETE") == 1);
  CHECK_FALSE(playing.ticket);
}

TEST_CASE("run: managed: a lost reply to the start is cleared up by asking") {
  const Turn over{200,
                  R"({"properties":{"instanceView":{"executionState":"Succeeded","exitCode":0}}})"};
  for (const Turn& lost : {Turn{500, "{}"}, Turn{0, "", {}, base::exit_retries_spent}}) {
    Playing there({lost, over, over, Turn{204, ""}});
    there.job.managed = true;
    azure::Machine known = machine();
    known.location = "l";
    azure::Run run(there.stage.arm, there.job, known, kNonce);
    there.play(run);
    CHECK(there.result.outcome == Outcome::succeeded);
    CHECK(there.stage.count("PUT") == 1);
    Playing gone({lost, Turn{404, "{}"}});
    gone.job.managed = true;
    azure::Run other(gone.stage.arm, gone.job, known, kNonce);
    gone.play(other);
    CHECK(gone.result.outcome == Outcome::error);
    CHECK(gone.code() == 75);
    CHECK(gone.stage.count("PUT") == 1);
  }
}

TEST_CASE("run: managed: ended at --timeout and by a cancel, and deleted") {
  const Turn running{200, R"({"properties":{"instanceView":{"executionState":"Running"}}})"};
  azure::Machine known = machine();
  known.location = "l";
  Playing late({Turn{201, "{}"}, running});
  late.job.managed = true;
  late.job.timeout_ms = 60'000;
  azure::Run run(late.stage.arm, late.job, known, kNonce);
  late.play(run);
  CHECK(late.result.outcome == Outcome::unfinished);
  CHECK(late.code() == 75);
  CHECK(late.stage.count("DELETE") == 1);
  CHECK_FALSE(late.ticket);

  Playing stopped({Turn{201, "{}"}, running});
  stopped.job.managed = true;
  azure::Run other(stopped.stage.arm, stopped.job, known, kNonce);
  stopped.play(other, 3);
  CHECK(stopped.ticket);
  CHECK(other.cancel(base::Error(base::exit_interrupted, "interrupted")));
  stopped.play(other);
  CHECK(stopped.stage.count("DELETE") == 1);
  CHECK(stopped.code() == 130);
}

TEST_CASE("run: an action's script goes on when it is cancelled, and can be followed") {
  Playing playing({kAccepted, kRunning});
  azure::Run run(playing.stage.arm, playing.job, machine(), kNonce);
  playing.play(run, 3);
  CHECK(playing.result.outcome == Outcome::pending);
  CHECK_FALSE(run.cancel(base::Error(base::exit_interrupted, "interrupted")));
  CHECK(run.result().outcome == Outcome::unfinished);
  CHECK(run.result().is_cut_short);
  CHECK(run.ticket());
  azure::Run not_begun(playing.stage.arm, playing.job, machine(), kNonce);
  CHECK_FALSE(not_begun.cancel(base::Error(base::exit_interrupted, "interrupted")));
  CHECK(not_begun.result().outcome == Outcome::pending);
}

TEST_CASE("run: cancelled while the rest of its output is fetched, the result stays") {
  Playing playing({kAccepted, done(frame('o', "abc", "3", 9, 0, 0)), kAccepted, kRunning});
  playing.job.full_output = true;
  azure::Run run(playing.stage.arm, playing.job, machine(), kNonce);
  playing.play(run, 6);
  CHECK_FALSE(run.cancel(base::Error(base::exit_interrupted, "interrupted")));
  CHECK(run.is_over());
  CHECK(run.result().outcome == Outcome::failed);
  CHECK(run.result().notices.size() == 1);
}

TEST_CASE("run: a managed run command that could not be deleted in time is named") {
  const Turn over{200,
                  R"({"properties":{"instanceView":{"executionState":"Succeeded","exitCode":0}}})"};
  azure::Machine known = machine();
  known.location = "l";
  Playing playing({Turn{201, "{}"}, over, Turn{503, "{}"}});
  playing.job.managed = true;
  azure::Run run(playing.stage.arm, playing.job, known, kNonce);
  playing.play(run, 4);
  CHECK(run.cancel(base::Error(base::exit_interrupted, "interrupted")));
  run.abandon();
  CHECK(run.is_over());
  CHECK(run.result().outcome == Outcome::succeeded);
  CHECK(run.result().notices.size() == 1);
}

TEST_CASE("run: managed: a start that can be neither seen nor excluded may be running") {
  azure::Machine known = machine();
  known.location = "l";
  Playing playing({Turn{500, "{}"}, Turn{403, "{}"}});
  playing.job.managed = true;
  azure::Run run(playing.stage.arm, playing.job, known, kNonce);
  playing.play(run);
  CHECK(playing.result.outcome == Outcome::unfinished);
  CHECK(playing.error().find("may be running") != std::string::npos);
  CHECK(playing.ticket);
}
