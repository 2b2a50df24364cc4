// Keeps a value over all events: the sum of a number in their data, the largest one, or how many
// there were. Prints a line after each.
//
// Numbers and their sums are exact, as eventstore/decimal.hpp tells. An event whose data is no
// JSON, or has no number there, or one with which the sum gets too large, is refused with 65 and
// changes nothing; so does one whose line can't be printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eventstore/decimal.hpp"
#include "eventstore/processor.hpp"
#include "eventstore/say.hpp"
#include "eventstore/surroundings.hpp"

namespace eventstore {

struct RunningValueSpec {
  enum class Kind { sum, count, max } kind = Kind::sum;
  std::string processor;  // its name
  std::string field;      // a dotted path; none for a count
  Say say;                // may hold {value}, the event's number, {total} and {count}
};

class RunningValue : public Processor {
 public:
  RunningValue(RunningValueSpec spec, const Surroundings& surroundings)
      : spec_(std::move(spec)), print_(surroundings.print) {}

  void process(const Event& event) override;
  // {"total":"12.5","count":2}
  std::string state() const override;
  // Throws 65 for what state() did not make.
  void restore(const std::string& state) override;

 private:
  Decimal total_with(const Decimal& value, const Event& event) const;

  RunningValueSpec spec_;
  std::function<void(std::string_view)> print_;
  Decimal total_;
  int64_t count_ = 0;
};

}  // namespace eventstore
