// SQLite's calls for the files of this room, with errors as base::Error 74 that name the file and
// what to do.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace store {

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

struct Database {
  std::string name;  // "the board notes.db", for errors
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> handle{nullptr, sqlite3_close};
};

// `flags` are those of sqlite3_open_v2. A path is a file's, whatever it looks like. Waits up to 5 s
// for others that use the file.
Database open_database(const std::string& path, const std::string& name, int flags);

// A file that is no database, or one with contents that can't be.
base::Error damaged(const std::string& name, const std::string& why);

Statement prepare(const Database& database, const char* sql);
bool step(const Database& database,
          const Statement& statement);                         // true for a row, false at the end
void execute(const Database& database, const char* sql);       // one statement, its rows unseen
int64_t number_of(const Database& database, const char* sql);  // the first column of its first row

// Parameters count from 1, columns from 0.
void bind(const Statement& statement, int parameter, const std::string& text);
std::string text_at(const Statement& statement, int column);

}  // namespace store
