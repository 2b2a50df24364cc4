// What a person who waits is told of how far a reading has come: on standard error, in the last
// line of a terminal, else a line every ten seconds.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "eventstore/source.hpp"

namespace commands {

class EsProgress {
 public:
  // `last`: where the reading catches up.
  EsProgress(base::Clock clock, bool is_all, bool is_followed, const eventstore::Place& first,
             const eventstore::Place& last);

  // Now and then.
  void look(uint64_t events, const eventstore::Place& place);

  // Everything there was has come; new events come as they are written. Said once.
  void live(uint64_t events);

  // Clears the line on a terminal.
  void end();

 private:
  uint64_t number_of(const eventstore::Place& place) const;

  base::Clock clock_;
  bool is_all_;
  bool is_followed_;  // new events are waited for
  bool is_terminal_;
  bool is_live_ = false;
  bool has_line_ = false;
  uint64_t first_;
  uint64_t last_;
  int64_t begun_ms_;
  int64_t told_ms_;
};

}  // namespace commands
