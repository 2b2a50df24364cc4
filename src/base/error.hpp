// Errors and exit codes: the one mechanism of the whole program.
//
// A function that cannot do its work throws base::Error with the exit code the process will end
// with and one line for the person: what happened, where, and what to do. It is caught in main, in
// the retry loop and in loops over independent requests or channels, and printed once.
//
// The codes follow BSD's sysexits.h where it has a fitting one.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

namespace base {

enum ExitCode : int {
  exit_ok = 0,
  exit_answer_no = 1,
  exit_usage = 64,
  exit_bad_input = 65,
  exit_missing_input = 66,
  exit_unavailable = 69,
  exit_our_bug = 70,
  exit_local_io = 74,
  exit_retries_spent = 75,
  exit_malformed_reply = 76,
  exit_refused = 77,
  exit_configuration = 78,
  exit_interrupted = 130,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

// Every code with its meaning in words, in ascending order: the text of help and README.
std::span<const ExitCodeMeaning> exit_code_meanings();

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace base
