#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "azure/script.hpp"
#include "base/error.hpp"
#include "run_script.hpp"

using azure::Output;
using azure::Script;
using azure::Shell;
using run_script::File;
using run_script::folder_of;
using run_script::run;
using run_script::run_and_fetch;
using run_script::run_text;

namespace {

const std::string kNonce = "0123456789abcdef";
const std::vector<std::string> kSh = {"sh"};

Script sh(const std::string& text) {
  return {Shell::sh, text, "", {}, {}};
}

// What /bin/sh may be: each one must read the wrappers alike.
std::vector<std::vector<std::string>> shells() {
  std::vector<std::vector<std::string>> list = {{"sh"},
                                                {"env", "LC_ALL=C.UTF-8", "bash", "--posix"}};
  if (run_script::is_installed("busybox")) list.push_back({"busybox", "sh"});
  return list;
}

// Prints each argument in brackets.
const std::string kArguments = "printf '[%s]' \"$@\"";

Script rich() {
  return {Shell::sh,
          "#!/bin/bash -u\nprintf '[%s]' \"$greeting\" \"$@\"\n",
          "",
          {{"greeting", "it's \"so\""}, {"", "2nd"}},
          {"^ & % < > | $HOME `id` \\", "\xC3\xA4\n"}};
}

int error_of(const Script& script) {
  try {
    azure::wrap(script, kNonce, Output::framed);
  } catch (const base::Error& error) {
    return error.code();
  }
  return 0;
}

}  // namespace

TEST_CASE("the texts for sh are those of the golden files") {
  CHECK(azure::wrap(rich(), kNonce, Output::framed) == run_script::fixture("wrapper_sh.golden.sh"));
  CHECK(azure::fetch(Shell::sh, kNonce, 5820, 0) == run_script::fixture("fetch_sh.golden.sh"));
  CHECK(azure::fetch(Shell::bash, kNonce, 5820, 0) == azure::fetch(Shell::sh, kNonce, 5820, 0));
}

// Each of these runs wrappers in real shells, which takes seconds: `ctest -R scripts`.
TEST_SUITE_BEGIN("scripts");

TEST_CASE("every shell runs a script and reports") {
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    const auto result = run(reader, rich());
    CHECK(result.exit_code == 0);
    CHECK(result.out == "[it's \"so\"][it's \"so\"][2nd][^ & % < > | $HOME `id` \\][\xC3\xA4\n]");
    CHECK(result.err == "");
    const auto other = run(reader, sh("echo out; echo err >&2; exit 3"));
    CHECK(other.exit_code == 3);
    CHECK(other.out == "out\n");
    CHECK(other.out_total == 4);
    CHECK(other.err == "err\n");
  }
}

TEST_CASE("exit codes, and signals as 128 and their number") {
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    CHECK(run(reader, sh("exit 0")).exit_code == 0);
    CHECK(run(reader, sh("exit 255")).exit_code == 255);
    CHECK(run(reader, sh("(")).exit_code == 2);
    CHECK(run(reader, sh("")).exit_code == 0);
    const auto killed = run(reader, sh("echo a; kill -KILL $$"));
    CHECK(killed.exit_code == 137);
    CHECK(killed.out == "a\n");
    CHECK(killed.err == "");
  }
}

TEST_CASE("arguments arrive byte for byte") {
  std::string bytes;
  for (int c = 1; c < 256; ++c) bytes += static_cast<char>(c);
  Script script = sh(kArguments);
  script.parameters = {{"A", "\n\n"}, {"", ""}};
  script.arguments = {"-n", "--", "a  b", "'", "\"", "$(exit 9)", "x\r\n", bytes, "\xC3"};
  const std::string expected =
      "[\n\n][][-n][--][a  b]['][\"][$(exit 9)][x\r\n][" + bytes + "][\xC3]";
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    CHECK(run(reader, script).out == expected);
  }
}

TEST_CASE("named parameters are the script's variables, the wrapper's are not") {
  Script script = sh("env; set | grep '^w_'; cat; pwd; umask");
  script.parameters = {{"SEEN", "a\nb=c\n"}, {"w_x", "1"}};
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    const std::string out = "\n" + run(reader, script).out;
    CHECK(out.find("\nSEEN=a\nb=c\n\n") != std::string::npos);
    CHECK(out.find("\nw_x=1\n") != std::string::npos);
    CHECK(out.find("w_dir") == std::string::npos);
    CHECK(out.find("not for the script") == std::string::npos);
    CHECK(out.ends_with("\n" + std::filesystem::current_path().string() + "\n0022\n"));
  }
  CHECK(run(kSh, sh("echo $SEEN")).out == "by the script\n");
}

TEST_CASE("scripts arrive byte for byte") {
  for (const std::string& text :
       {std::string("cat \"$0\""), std::string("cat \"$0\"\n"),
        std::string("\n\n\ncat \"$0\" #\r\n"),
        std::string("cat \"$0\"; exit\n\0\x01\xFF'\"`\\", 22),
        std::string("# \xC3\xA4\ncat \"$0\""), "cat \"$0\"; exit\n" + run_script::noise(3000)}) {
    CAPTURE(text);
    const auto result = run(kSh, sh(text));
    CHECK(result.out == text);
    CHECK(result.err == "");
  }
}

TEST_CASE("the first line picks the interpreter, as Linux reads it") {
  struct {
    std::string first;
    std::string out;
  } const rows[] = {
      {"#!/bin/sh\necho ${BASH_VERSION:+bash}", "\n"},
      {"#!/bin/bash\necho ${BASH_VERSION:+bash}", "bash\n"},
      {"#!/bin/bash\r\necho ${BASH_VERSION:+bash} #\r\n", "bash\n"},
      {"#! /usr/bin/env bash\necho ${BASH_VERSION:+bash}", "bash\n"},
      {"#!\t/bin/echo \t a  'b'\\ \t\nx", "a  'b'\\ SCRIPT\n"},
      {"#!/bin/echo", "SCRIPT\n"},
      {std::string("#!/bin/echo\0 a", 14), "SCRIPT\n"},
      {"#!\necho a", "a\n"},
      {" #!/bin/echo\necho a", "a\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    std::string out = run(kSh, sh(row.first)).out;
    const size_t at = out.find("/tmp/" PRODUCT_NAME "-");
    if (at != std::string::npos) out = out.substr(0, at) + "SCRIPT\n";
    CHECK(out == row.out);
  }
  Script script = sh("echo ${BASH_VERSION:+bash}");
  script.shell = Shell::bash;
  CHECK(run(kSh, script).out == "bash\n");
  const auto missing = run(kSh, sh("#!/no/such\n"));
  CHECK(missing.exit_code == 127);
  CHECK(missing.err.find("/no/such") != std::string::npos);
}

TEST_CASE("output comes back whole when it fits, else its end") {
  const std::string noise = run_script::noise(20'000);
  std::string log;
  for (int i = 0; log.size() < 100'000; ++i)
    log += "2026-01-02 request " + std::to_string(i % 7) + " done\n";
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    for (const std::string& text : {std::string(), std::string(2910, '\0'), run_script::noise(2911),
                                    run_script::noise(4096), log}) {
      CAPTURE(text.size());
      const File file(text);
      const auto result = run(reader, sh("cat " + file.path));
      CHECK(result.out == text);
      CHECK(result.out_total == static_cast<int64_t>(text.size()));
      CHECK(run(reader, sh("cat >&2 " + file.path)).err == text);
    }
    const File file(noise);
    const auto result = run(reader, sh("cat " + file.path + "; echo a >&2"));
    CHECK(result.err == "a\n");
    CHECK(result.out_total == 20'000);
    CHECK(result.out_offset == 20'000 - 2910);
    CHECK(result.out == noise.substr(20'000 - 2910));
    CHECK(run(reader, sh("cat " + file.path)).out_offset == 20'000 - 2 * 2910);
  }
}

TEST_CASE("without gzip the output comes back too") {
  const File file(run_script::noise(20'000));
  const std::string text = azure::wrap(sh("cat " + file.path), kNonce, Output::framed);
  const std::string folder = "/tmp/unit-" + base::random_hex(8);
  std::filesystem::create_directory(folder);
  for (const std::string name :
       {"base64", "cat", "head", "mkdir", "rm", "tail", "tr", "wc", "sh"}) {
    std::filesystem::create_symlink("/usr/bin/" + name, folder + "/" + name);
  }
  const auto outcome = run_text({"env", "PATH=" + folder, "sh"}, text);
  CHECK(outcome.exit_code == 0);
  const auto report = azure::read_report(run_script::messages_of(outcome), kNonce);
  REQUIRE(report.has_value());
  CHECK(report->out.total_bytes == 20'000);
  CHECK(report->out.parts.size() == 2);
  CHECK(outcome.output.find(" b 0 20000 0 17090 ") != std::string::npos);

  std::filesystem::remove(folder + "/base64");
  const auto failed = run_text({"env", "PATH=" + folder, "sh"}, text);
  CHECK(failed.exit_code == 1);
  CHECK(failed.output == "");
  CHECK(failed.errors == PRODUCT_NAME ": the script was not started: this machine has no base64\n");
  CHECK(!std::filesystem::exists(folder_of(kNonce)));
  std::filesystem::remove_all(folder);
}

TEST_CASE("from the start, with later runs for what did not fit") {
  const std::string noise = run_script::noise(12'000);
  const File file(noise);
  const Script one = sh("cat " + file.path + "; exit 7");
  const Script both = sh("cat " + file.path + "; cat " + file.path + " >&2");
  const Script errors = sh("echo a; cat " + file.path + " >&2");
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    int runs = 0;
    const auto result = run_and_fetch(reader, one, runs);
    CHECK(runs == 3);  // both lines for the one stream
    CHECK(result.exit_code == 7);
    CHECK(result.out == noise);
    CHECK(result.err == "");
    const auto second = run_and_fetch(reader, both, runs);
    CHECK(runs == 5);
    CHECK(second.out == noise);
    CHECK(second.err == noise);
    const auto third = run_and_fetch(reader, errors, runs);
    CHECK(runs == 3);
    CHECK(third.out == "a\n");
    CHECK(third.err == noise);
    CHECK(run_and_fetch(reader, sh("echo a"), runs).out == "a\n");
    CHECK(runs == 1);
  }
}

TEST_CASE("what is kept can be thrown away, and is asked for in vain afterwards") {
  const File file(run_script::noise(20'000));
  const Script script = sh("cat " + file.path);
  run_text(kSh, azure::wrap(script, kNonce, Output::framed_from_start));
  CHECK(std::filesystem::exists(folder_of(kNonce) + "/o"));
  CHECK(!std::filesystem::exists(folder_of(kNonce) + "/script"));
  const auto permissions = std::filesystem::status(folder_of(kNonce)).permissions();
  CHECK(permissions == std::filesystem::perms::owner_all);

  const auto again = run_text(kSh, azure::wrap(script, kNonce, Output::framed));
  CHECK(again.exit_code == 1);
  CHECK(again.output == "");
  CHECK(again.errors.starts_with(PRODUCT_NAME ": the script was not started: "));
  CHECK(std::count(again.errors.begin(), again.errors.end(), '\n') == 1);
  CHECK(std::filesystem::exists(folder_of(kNonce) + "/o"));

  std::filesystem::remove_all(folder_of(kNonce));
  const auto gone = run_text(kSh, azure::fetch(Shell::sh, kNonce, 0, 0));
  CHECK(gone.exit_code == 1);
  CHECK(gone.output == "");
  CHECK(gone.errors == PRODUCT_NAME ": the output that was kept on this machine is gone: " +
                           folder_of(kNonce) + "\n");
}

TEST_CASE("plain: the script's streams and exit code are the wrapper's") {
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    Script script = sh("cat; printf out; printf err >&2; exit $1");
    script.arguments = {"254"};
    const auto outcome = run_text(reader, azure::wrap(script, kNonce, Output::plain));
    CHECK(outcome.exit_code == 254);
    CHECK(outcome.output == "out");
    CHECK(outcome.errors == "err");
    CHECK(!std::filesystem::exists(folder_of(kNonce)));
    const auto killed = run_text(reader, azure::wrap(sh("kill -TERM $$"), kNonce, Output::plain));
    CHECK(killed.exit_code == 143);
  }
}

TEST_CASE("a script on the machine") {
  const File file(kArguments);
  Script script{Shell::sh, "", file.path, {{"", "a b"}}, {"c"}};
  for (const auto& reader : shells()) {
    CAPTURE(reader.front());
    script.remote_path = file.path;
    std::filesystem::permissions(file.path, std::filesystem::perms(0644));
    CHECK(run(reader, script).out == "[a b][c]");
    std::filesystem::permissions(file.path, std::filesystem::perms(0755));
    CHECK(run(reader, script).out == "[a b][c]");
    script.parameters.front().name = "NAME";
    CHECK(run(reader, script).out == "[a b][c]");
    script.parameters.front().name = "";
    script.remote_path = "/no such/it's";
    const auto missing = run(reader, script);
    CHECK(missing.exit_code == 127);
    CHECK(missing.err.find("/no such/it's") != std::string::npos);
    script.remote_path = "/tmp";
    CHECK(run(reader, script).exit_code == 126);
  }
  const File bash("#!/bin/bash\necho ${BASH_VERSION:+bash}");
  std::filesystem::permissions(bash.path, std::filesystem::perms(0755));
  CHECK(run(kSh, {Shell::sh, "", bash.path, {}, {}}).out == "bash\n");
  std::filesystem::permissions(bash.path, std::filesystem::perms(0644));
  CHECK(run(kSh, {Shell::bash, "", bash.path, {}, {}}).out == "bash\n");
  CHECK(run(kSh, {Shell::sh, "", "true", {}, {}}).exit_code == 127);  // a path, never looked up
}

TEST_CASE("what a script leaves running is not waited for") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(run(kSh, sh("sleep 30 & echo a")).out == "a\n");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("a script may print what looks like a report, and may empty its own output") {
  const std::string text =
      "[stdout]\n" + kNonce + "+o QQ== b 0 1 0 0 " + kNonce + "-o\n\n[stderr]\n";
  const File file(text);
  CHECK(run(kSh, sh("cat " + file.path + "; exit 5")).out == text);
  CHECK(run(kSh, sh("echo a; echo b >/dev/stdout; echo c")).out == "b\nc\n");
}

TEST_SUITE_END();

TEST_CASE("names and arguments that can't be given are refused") {
  Script script = sh("");
  for (const std::string& name :
       {std::string("1"), std::string("a b"), std::string("a-b"), std::string("a="),
        std::string("\xC3\xA4"), std::string("a\0", 2)}) {
    CAPTURE(name);
    script.parameters = {{name, "x"}};
    CHECK(error_of(script) == base::exit_usage);
  }
  script.parameters = {{"_a1", std::string("x\0", 2)}};
  CHECK(error_of(script) == base::exit_usage);
  script.parameters = {{"_a1", "\xFF"}};
  CHECK(error_of(script) == 0);
  script.remote_path = "/a=b/c";
  CHECK(error_of(script) == base::exit_usage);
  script.parameters = {{"", "x"}};
  CHECK(error_of(script) == 0);
  script.remote_path = std::string("/a\0", 3);
  CHECK(error_of(script) == base::exit_usage);
  script = sh("#!/a=b\n");
  script.arguments = {std::string("\0", 1)};
  CHECK(error_of(script) == base::exit_usage);
  script.arguments = {};
  script.parameters = {{"a", ""}};
  CHECK(error_of(script) == base::exit_usage);
}

TEST_CASE("a text over Azure's limit is refused") {
  const size_t wrapped = azure::wrap(sh("#"), kNonce, Output::framed).size();
  CHECK(wrapped < 4000);
  CHECK(error_of(sh("#" + std::string(190'000, 'x'))) == 0);
  try {
    azure::wrap(sh("#" + std::string(200'000, 'x')), kNonce, Output::framed);
    FAIL("not refused");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_bad_input);
    const std::string message = error.what();
    CHECK(message.find("262144") != std::string::npos);
    CHECK(message.find("27") != std::string::npos);
  }
}
