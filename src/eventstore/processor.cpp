#include "eventstore/processor.hpp"

#include "base/error.hpp"

namespace eventstore {

size_t Processor::process_all(std::span<const Event> events, std::string& problem) {
  try {
    process(events.front());
    return 1;
  } catch (const base::Error& error) {
    problem = error.what();
    return 0;
  }
}

}  // namespace eventstore
