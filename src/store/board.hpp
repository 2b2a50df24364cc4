// Keys with values that people write on a board and read from it, in an SQLite file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace store {

struct Note {
  std::string key;
  std::string value;
  std::string by;      // who wrote it
  int64_t unix_s = 0;  // when
};

// Each of these opens the file, makes it when it is not there, and closes it again; several
// processes may use it at once. Keys are told apart without regard to the case of ASCII letters.
// They throw 74 when the file can't be used, and after 5 s of waiting for others.
void write_note(const std::string& path, const Note& note);  // in place of one with the same key
std::optional<Note> read_note(const std::string& path, const std::string& key);
std::vector<Note> read_notes(const std::string& path);  // in the order of their keys

std::string sqlite_version();

}  // namespace store
