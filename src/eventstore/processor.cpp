#include "eventstore/processor.hpp"

#include "base/error.hpp"

namespace eventstore {

namespace {

// Anything else would fail with every event: a disk that is full, a program that is not there.
bool is_of_event(const base::Error& error) {
  switch (error.code()) {
    case base::exit_answer_no:
    case base::exit_bad_input:
    case base::exit_unavailable:
    case base::exit_retries_spent:
    case base::exit_malformed_reply:
    case base::exit_refused:
      return true;
    default:
      return false;
  }
}

}  // namespace

size_t Processor::process_all(std::span<const Event> events, std::string& problem) {
  try {
    process(events.front());
    return 1;
  } catch (const base::Error& error) {
    if (!is_of_event(error)) throw;
    problem = error.what();
    return 0;
  }
}

}  // namespace eventstore
