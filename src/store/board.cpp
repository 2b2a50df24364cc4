#include "store/board.hpp"

#include "store/sqlite.hpp"

namespace store {

namespace {

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY COLLATE NOCASE, value TEXT NOT NULL, "
    "by TEXT NOT NULL, unix_s INTEGER NOT NULL)";

Database open(const std::string& path) {
  Database database =
      open_database(path, "the board " + path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  execute(database, kTable);
  return database;
}

Note note_at(const Statement& statement) {
  return {text_at(statement, 0), text_at(statement, 1), text_at(statement, 2),
          sqlite3_column_int64(statement.get(), 3)};
}

}  // namespace

void write_note(const std::string& path, const Note& note) {
  const Database database = open(path);
  const Statement statement = prepare(
      database, "INSERT OR REPLACE INTO notes (key, value, by, unix_s) VALUES (?, ?, ?, ?)");
  bind(statement, 1, note.key);
  bind(statement, 2, note.value);
  bind(statement, 3, note.by);
  sqlite3_bind_int64(statement.get(), 4, note.unix_s);
  step(database, statement);
}

std::optional<Note> read_note(const std::string& path, const std::string& key) {
  const Database database = open(path);
  const Statement statement =
      prepare(database, "SELECT key, value, by, unix_s FROM notes WHERE key = ?");
  bind(statement, 1, key);
  if (!step(database, statement)) return std::nullopt;
  return note_at(statement);
}

std::vector<Note> read_notes(const std::string& path) {
  const Database database = open(path);
  const Statement statement =
      prepare(database, "SELECT key, value, by, unix_s FROM notes ORDER BY key");
  std::vector<Note> notes;
  while (step(database, statement)) notes.push_back(note_at(statement));
  return notes;
}

std::string sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace store
