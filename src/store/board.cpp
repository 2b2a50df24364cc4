#include "store/board.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>

#include "base/error.hpp"

namespace store {

namespace {

constexpr int kWaitMs = 5'000;
constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY COLLATE NOCASE, value TEXT NOT NULL, "
    "by TEXT NOT NULL, unix_s INTEGER NOT NULL)";

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

base::Error failure(sqlite3* database, const std::string& path) {
  return {base::exit_local_io,
          fmt::format("can't use the board {}: {}", path,
                      database == nullptr ? "out of memory" : sqlite3_errmsg(database))};
}

Statement prepare(sqlite3* database, const char* sql, const std::string& path) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK) {
    throw failure(database, path);
  }
  return {statement, sqlite3_finalize};
}

// True for a row, false at the end.
bool step(sqlite3* database, const Statement& statement, const std::string& path) {
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) throw failure(database, path);
  return code == SQLITE_ROW;
}

Database open(const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open(path.c_str(), &opened);
  Database database(opened, sqlite3_close);
  if (code != SQLITE_OK) throw failure(opened, path);
  sqlite3_busy_timeout(opened, kWaitMs);
  step(opened, prepare(opened, kTable, path), path);
  return database;
}

void bind(const Statement& statement, int number, const std::string& text) {
  sqlite3_bind_text(statement.get(), number, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}

std::string text_at(const Statement& statement, int column) {
  const auto* text = sqlite3_column_text(statement.get(), column);
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement.get(), column));
  return text == nullptr ? "" : std::string(reinterpret_cast<const char*>(text), bytes);
}

Note note_at(const Statement& statement) {
  return {text_at(statement, 0), text_at(statement, 1), text_at(statement, 2),
          sqlite3_column_int64(statement.get(), 3)};
}

}  // namespace

void write_note(const std::string& path, const Note& note) {
  const Database database = open(path);
  const Statement statement =
      prepare(database.get(),
              "INSERT OR REPLACE INTO notes (key, value, by, unix_s) VALUES (?, ?, ?, ?)", path);
  bind(statement, 1, note.key);
  bind(statement, 2, note.value);
  bind(statement, 3, note.by);
  sqlite3_bind_int64(statement.get(), 4, note.unix_s);
  step(database.get(), statement, path);
}

std::optional<Note> read_note(const std::string& path, const std::string& key) {
  const Database database = open(path);
  const Statement statement =
      prepare(database.get(), "SELECT key, value, by, unix_s FROM notes WHERE key = ?", path);
  bind(statement, 1, key);
  if (!step(database.get(), statement, path)) return std::nullopt;
  return note_at(statement);
}

std::vector<Note> read_notes(const std::string& path) {
  const Database database = open(path);
  const Statement statement =
      prepare(database.get(), "SELECT key, value, by, unix_s FROM notes ORDER BY key", path);
  std::vector<Note> notes;
  while (step(database.get(), statement, path)) notes.push_back(note_at(statement));
  return notes;
}

std::string sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace store
