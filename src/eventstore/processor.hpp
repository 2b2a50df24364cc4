// What is done with events. To write one in C++: derive, implement process(), add a row to the
// table in eventstore/processor_file.cpp.
//
// A processor sees the events of its types in the order of the stream (with several instances in
// the order of each key), each at least once: after a crash the last ones come again.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "eventstore/event.hpp"

namespace eventstore {

class Processor {
 public:
  Processor() = default;
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;
  virtual ~Processor() = default;

  // Does the work for one event. Throws base::Error when it can't: 1, 65, 69, 75, 76 and 77 are
  // this event's fault, or of the moment; it is called again after the processor's policy, and what
  // it did may be done again. Any other code ends the processor.
  virtual void process(const Event& event) = 0;

  // The same for several in their order, for processors that are faster that way; this one does the
  // first. Returns how many are done for good. `problem` says why the next one is not, when it
  // failed; what was not done is given again.
  virtual size_t process_all(std::span<const Event> events, std::string& problem);

  // A running value as text, stored in one transaction with the checkpoint, and given back before
  // the first event after a restart. "" is no value.
  virtual std::string state() const { return ""; }
  virtual void restore(const std::string& /*state*/) {}
};

}  // namespace eventstore
