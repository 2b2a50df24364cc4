#include "eventstore/processor.hpp"

#include "base/error.hpp"

namespace eventstore {

size_t Processor::process_all(std::span<const Event> events, std::string& problem) {
  size_t done = 0;
  try {
    for (const Event& event : events) {
      process(event);
      ++done;
    }
  } catch (const base::Error& error) {
    problem = error.what();
  }
  return done;
}

}  // namespace eventstore
