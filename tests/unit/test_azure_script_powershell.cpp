#include <doctest/doctest.h>

#include "azure/script.hpp"
#include "base/error.hpp"
#include "run_script.hpp"

using azure::Output;
using azure::Script;
using azure::Shell;

namespace {

const std::string kNonce = "0123456789abcdef";
const std::vector<std::string> kReader = {"pwsh", "-NoProfile", "-NonInteractive", "-File"};

Script powershell(const std::string& text) {
  return {Shell::powershell, text, "", {}, {}};
}

Script rich() {
  return {
      Shell::powershell,
      "param([string]$Greeting, [switch]$Force, [Parameter(ValueFromRemainingArguments)]$Rest)\n"
      "[Console]::Out.Write(\"[$Greeting][$Force]\")\n"
      "foreach ($each in $Rest) { [Console]::Out.Write(\"[$each]\") }\n",
      "",
      {{"Greeting", "it's \"so\" \xC3\xA4\n"}, {"Force", "$true"}, {"", "2nd"}},
      {"^ & % < > | $HOME `id` \\", "-Force"}};
}

bool has_pwsh() {
  static const bool has = run_script::is_installed("pwsh");
  static bool is_said = false;
  if (!has && !is_said) MESSAGE("skipped: what needs pwsh, as there is none in PATH");
  is_said = true;
  return has;
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

TEST_CASE("the texts for PowerShell are those of the golden files") {
  CHECK(azure::wrap(rich(), kNonce, Output::framed) ==
        run_script::fixture("wrapper_powershell.golden.ps1"));
  CHECK(azure::fetch(Shell::powershell, kNonce, 5820, 0) ==
        run_script::fixture("fetch_powershell.golden.ps1"));
}

TEST_CASE("PowerShell: names and values that can't be given are refused") {
  Script script = powershell("");
  for (const std::string& name :
       {std::string("a b"), std::string("a-b"), std::string("a'"), std::string("\xC3\xA4")}) {
    CAPTURE(name);
    script.parameters = {{name, "x"}};
    CHECK(error_of(script) == base::exit_usage);
  }
  script.parameters = {{"1a_", "x"}};
  CHECK(error_of(script) == 0);
  for (const std::string& value : {std::string("\xFF"), std::string("a\0", 2)}) {
    script.arguments = {value};
    CHECK(error_of(script) == base::exit_usage);
  }
}

TEST_SUITE_BEGIN("scripts");

TEST_CASE("PowerShell runs a script and reports") {
  if (!has_pwsh()) return;
  const auto result = run_script::run(kReader, rich());
  CHECK(result.exit_code == 0);
  CHECK(result.out == "[it's \"so\" \xC3\xA4\n][True][2nd][^ & % < > | $HOME `id` \\][-Force]");
  CHECK(result.err == "");
}

TEST_CASE("PowerShell: exit codes") {
  if (!has_pwsh()) return;
  struct {
    std::string script;
    int exit_code;
    std::string out;
    std::string err;  // is in it
  } const rows[] = {
      {"'a'; exit 3", 3, "a\n", ""},
      {"'a'; throw 'oh'; 'b'", 1, "a\n", "oh"},
      {"'a'; if (", 1, "", "if ("},
      {"sh -c 'exit 7'; 'a'", 7, "a\n", ""},
      {"[int]'x'; Write-Error 'oh'; \"$ErrorActionPreference $named $path $nonce.\"", 0,
       "Continue   .\n", "oh"},
      {"$input | Out-String; [Console]::In.ReadToEnd().Length", 0, "\n0\n", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    const auto result = run_script::run(kReader, powershell(row.script));
    CHECK(result.exit_code == row.exit_code);
    CHECK(result.out == row.out);
    CAPTURE(result.err);
    CHECK(result.err.find(row.err) != std::string::npos);
    CHECK(result.err.empty() == row.err.empty());
  }
}

TEST_CASE(
    "PowerShell: a script on the machine; only what it declares as true or false becomes it") {
  if (!has_pwsh()) return;
  const run_script::File file(
      "param($A, [bool]$B, [string]$C, $D) \"$($A.GetType().Name) $A $B $C $D\"; exit 4",
      "[1]'.ps1");
  Script script{
      Shell::powershell, "", file.path, {{"a", "$true"}, {"B", "false"}, {"C", "True"}}, {"d"}};
  const auto result = run_script::run(kReader, script);
  CHECK(result.exit_code == 4);
  CHECK(result.out == "String $true False True d\n");
  script.remote_path = "/no such.ps1";
  const auto missing = run_script::run(kReader, script);
  CHECK(missing.exit_code == 1);
  CHECK(missing.out == "");
  CHECK(missing.err.find("/no such.ps1") != std::string::npos);
}

TEST_CASE("PowerShell: bytes come back exact, from the start with later runs, or the end") {
  if (!has_pwsh()) return;
  const std::string noise = run_script::noise(9'000);
  const run_script::File file(noise);
  const std::string copy = "$bytes = [IO.File]::ReadAllBytes('" + file.path +
                           "')\n[Console]::OpenStandardOutput().Write($bytes, 0, $bytes.Length)\n";
  int runs = 0;
  const auto all = run_script::run_and_fetch(kReader, powershell(copy + "exit 9"), runs);
  CHECK(runs == 2);
  CHECK(all.exit_code == 9);
  CHECK(all.out == noise);
  std::string log;
  for (int i = 0; i < 6000; ++i) log += "request " + std::to_string(i % 7) + " done\n";
  const auto end = run_script::run(
      kReader,
      powershell(copy + "[Console]::Error.Write((0..5999 | ForEach-Object { \"request $($_ % "
                        "7) done`n\" }) -join '')"));
  CHECK(end.out_total == 9'000);
  CHECK(end.out == noise.substr(9'000 - 2910));
  CHECK(end.err == log);
}

TEST_CASE("PowerShell: plain") {
  if (!has_pwsh()) return;
  const auto outcome = run_script::run_text(
      kReader, azure::wrap(powershell("'out'; [Console]::Error.Write('err'); exit 254"), kNonce,
                           Output::plain));
  CHECK(outcome.exit_code == 254);
  CHECK(outcome.output == "out\n");
  CHECK(outcome.errors == "err");
  CHECK(!std::filesystem::exists(run_script::folder_of(kNonce)));
}

TEST_CASE("PowerShell: what is kept can be thrown away, and nothing is half done") {
  if (!has_pwsh()) return;
  std::filesystem::create_directory(run_script::folder_of(kNonce));
  const auto refused =
      run_script::run_text(kReader, azure::wrap(powershell("1"), kNonce, Output::framed));
  CHECK(refused.exit_code == 1);
  CHECK(refused.output == "");
  CHECK(refused.errors.starts_with(PRODUCT_NAME ": the script was not started: "));
  CHECK(std::filesystem::exists(run_script::folder_of(kNonce)));
  std::filesystem::remove_all(run_script::folder_of(kNonce));
  const auto gone = run_script::run_text(kReader, azure::fetch(Shell::powershell, kNonce, 0, 0));
  CHECK(gone.exit_code == 1);
  CHECK(gone.errors.starts_with(PRODUCT_NAME ": the output that was kept on this machine is gone"));
}

TEST_SUITE_END();
