#include "base/error.hpp"

namespace base {

std::span<const ExitCodeMeaning> exit_code_meanings() {
  static constexpr ExitCodeMeaning meanings[] = {
      {exit_ok, "done (also a graceful stop)"},
      {exit_answer_no, "it ran, and the answer is no"},
      {exit_usage, "wrong usage: an unknown or contradictory option"},
      {exit_bad_input, "bad input data"},
      {exit_missing_input, "what is named is not there or unreadable: a file, machine or stream"},
      {exit_unavailable, "the service could not be reached"},
      {exit_our_bug, "a defect of this program"},
      {exit_local_io, "local input/output failed (disk full, closed pipe)"},
      {exit_retries_spent, "temporary failure: retries spent, time-out, rate limit"},
      {exit_malformed_reply, "the service's reply makes no sense"},
      {exit_refused, "refused: not signed in, or not allowed"},
      {exit_configuration, "wrong configuration, here or at the service"},
      {exit_interrupted, "interrupted by a signal"},
  };
  return meanings;
}

}  // namespace base
