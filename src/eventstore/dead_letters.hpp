// Events that a processor could not do, with the reason, as JSON Lines: lines of
// eventstore/event_json.hpp that also have `processor`, `error` and `failed` (the time).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/event.hpp"

namespace eventstore {

// The line, with its line break.
std::string dead_letter(const Event& event, const std::string& processor, const std::string& error,
                        int64_t unix_s);

// Whose line it is; "" when it says nothing of it, or is no such line.
std::string processor_of(std::string_view line);

// Appends lines to the file, which is made when it is not there; durable when it returns. Several
// processes may do so, also while another takes the file away by take_dead_letters(). Throws 74.
void append_dead_letters(const std::string& path, std::string_view lines);

// A descriptor of the file, which one process can hold as long as that is open; -1 when there is no
// such file. Throws 74, 75 when another process holds it.
int hold_dead_letters(const std::string& path);

// Renames the file, so that nobody appends to it any more, and holds it. As above.
int take_dead_letters(const std::string& path, const std::string& new_path);

}  // namespace eventstore
