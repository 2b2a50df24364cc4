// Prints a line for each event: its JSON, or what a template makes of it.
#pragma once

#include <string>

#include "eventstore/processor.hpp"
#include "eventstore/say.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore {

class Print : public Processor {
 public:
  // An empty `say` is the event's JSON.
  Print(std::string processor, Say say, const Surroundings& surroundings)
      : processor_(std::move(processor)),
        say_(std::move(say)),
        print_(surroundings.print),
        event_line_(surroundings.event_line) {}

  void process(const Event& event) override;

 private:
  std::string processor_;
  Say say_;
  std::function<void(std::string_view)> print_;
  std::function<void(const Event&, std::string&)> event_line_;
};

}  // namespace eventstore
