// Runs wrapped scripts as Azure's agents on a machine do, for tests of them.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "azure/script.hpp"
#include "azure/script_report.hpp"
#include "base/process.hpp"
#include "base/random.hpp"

namespace run_script {

constexpr size_t kAzureKeeps = 4096;
constexpr size_t kMostFrame = 4000;

inline std::string fixture(const std::string& name) {
  std::ifstream file(std::string(FIXTURES "/azure/") + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A file that is gone at the end of the test.
struct File {
  std::string path;
  explicit File(const std::string& content, const std::string& ending = "") {
    path = "/tmp/unit-" + base::random_hex(8) + ending;
    std::ofstream(path, std::ios::binary) << content;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path); }
};

inline std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

// Whether a program of that name is in this process's PATH.
inline bool is_installed(const std::string& name) {
  std::stringstream folders(variable("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

inline std::string folder_of(const std::string& nonce) {
  return "/tmp/" PRODUCT_NAME "-" + nonce;
}

// Who reads the wrapper: {"sh"}, {"busybox", "sh"}, {"pwsh", "-File"}.
inline base::Outcome run_text(std::vector<std::string> reader, const std::string& text) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as main does
  const File file(text, ".ps1");
  base::Program program;
  reader.push_back(file.path);
  program.argv = std::move(reader);
  program.environment = {"PATH=" + variable("PATH"), "HOME=/tmp", "SEEN=by the script",
                         "DOTNET_CLI_HOME=/tmp", "POWERSHELL_TELEMETRY_OPTOUT=1"};
  program.input = "not for the script\n";
  program.timeout_ms = 30'000;
  return base::run_program(program, [] { return false; });
}

inline std::string end_of(const std::string& stream) {
  return stream.size() <= kAzureKeeps ? stream : stream.substr(stream.size() - kAzureKeeps);
}

// What Azure returns of a Linux machine.
inline std::string messages_of(const base::Outcome& outcome) {
  return "Enable succeeded: \n[stdout]\n" + end_of(outcome.output) + "\n[stderr]\n" +
         end_of(outcome.errors);
}

struct Result {
  int64_t exit_code = -1;
  int64_t out_total = -1;
  int64_t err_total = -1;
  std::string out;  // the parts, joined; they have no gap
  std::string err;
  int64_t out_offset = 0;  // of the first part
  int64_t err_offset = 0;
};

inline std::string join(const azure::Stream& stream, int64_t& offset) {
  std::string bytes;
  if (!stream.parts.empty()) offset = stream.parts.front().offset;
  for (const azure::StreamPart& part : stream.parts) {
    CHECK(part.offset == offset + static_cast<int64_t>(bytes.size()));
    bytes += part.bytes;
  }
  return bytes;
}

// Runs it framed; also checks that the wrapper prints nothing but its two frames, and cleans up.
inline Result run(const std::vector<std::string>& reader, const azure::Script& script) {
  const std::string nonce = base::random_hex(8);
  const auto outcome = run_text(reader, azure::wrap(script, nonce, azure::Output::framed));
  CAPTURE(outcome.output);
  CAPTURE(outcome.errors);
  CHECK(outcome.exit_code == 0);
  CHECK(!outcome.timed_out);
  for (const std::string& stream : {outcome.output, outcome.errors}) {
    CHECK(stream.starts_with(nonce + "+"));
    CHECK(stream.find('\n') == stream.size() - 1);
    CHECK(stream.size() <= kMostFrame);
  }
  CHECK(!std::filesystem::exists(folder_of(nonce)));
  const auto report = azure::read_report(messages_of(outcome), nonce);
  REQUIRE(report.has_value());
  REQUIRE(report->exit_code.has_value());
  Result result;
  result.exit_code = *report->exit_code;
  result.out_total = report->out.total_bytes;
  result.err_total = report->err.total_bytes;
  result.out = join(report->out, result.out_offset);
  result.err = join(report->err, result.err_offset);
  return result;
}

// Runs it framed from the start, and fetches until everything is there. `runs` counts them.
inline Result run_and_fetch(const std::vector<std::string>& reader, const azure::Script& script,
                            int& runs) {
  const std::string nonce = base::random_hex(8);
  Result result;
  std::string text = azure::wrap(script, nonce, azure::Output::framed_from_start);
  for (runs = 1; runs < 100; ++runs) {
    const auto outcome = run_text(reader, text);
    CAPTURE(outcome.errors);
    CHECK(outcome.exit_code == 0);
    const auto report = azure::read_report(messages_of(outcome), nonce);
    REQUIRE(report.has_value());
    CHECK(report->exit_code.has_value() == (runs == 1));
    if (report->exit_code) result.exit_code = *report->exit_code;
    result.out_total = report->out.total_bytes;
    result.err_total = report->err.total_bytes;
    int64_t offset = 0;
    result.out += join(report->out, offset);
    result.err += join(report->err, offset);
    const auto out_offset = static_cast<int64_t>(result.out.size());
    const auto err_offset = static_cast<int64_t>(result.err.size());
    const bool has_all = out_offset == result.out_total && err_offset == result.err_total;
    CHECK(std::filesystem::exists(folder_of(nonce)) == !has_all);
    if (has_all) break;
    text = azure::fetch(script.shell, nonce, out_offset, err_offset);
  }
  return result;
}

// Bytes that gzip can't make smaller, the same ones in every run.
inline std::string noise(size_t bytes) {
  std::string text;
  uint32_t state = 1;
  while (text.size() < bytes) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>(state >> 24U);
  }
  return text;
}

}  // namespace run_script
