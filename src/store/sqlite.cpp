#include "store/sqlite.hpp"

#include <fmt/format.h>

namespace store {

namespace {

constexpr int kWaitMs = 5'000;

base::Error failure(const Database& database) {
  sqlite3* handle = database.handle.get();
  const std::string why = handle == nullptr ? "out of memory" : sqlite3_errmsg(handle);
  const std::string& name = database.name;
  switch (handle == nullptr ? SQLITE_NOMEM : sqlite3_errcode(handle) & 0xFF) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return damaged(name, why);
    case SQLITE_FULL:
      return {base::exit_local_io, fmt::format("can't write to {}: {}; make room", name, why)};
    case SQLITE_READONLY:
      return {
          base::exit_local_io,
          fmt::format("can't write to {}: {}; it and its directory must be writable", name, why)};
    case SQLITE_CANTOPEN:
      return {
          base::exit_local_io,
          fmt::format("can't open {}: {}; its directory must exist and be writable", name, why)};
    case SQLITE_BUSY:
      return {base::exit_local_io,
              fmt::format("can't use {}: another process holds it for too long ({})", name, why)};
    default:
      return {base::exit_local_io, fmt::format("can't use {}: {}", name, why)};
  }
}

}  // namespace

base::Error damaged(const std::string& name, const std::string& why) {
  return {base::exit_local_io,
          fmt::format("{} is damaged ({}): restore a copy of it, or remove it to begin anew", name,
                      why)};
}

Database open_database(const std::string& path, const std::string& name, int flags) {
  Database database{name};
  sqlite3* opened = nullptr;
  // So that ":memory:" and "file:x" are names of files too.
  const std::string file = path.starts_with('/') ? path : "./" + path;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  database.handle.reset(opened);
  if (code != SQLITE_OK) throw failure(database);
  sqlite3_busy_timeout(opened, kWaitMs);
  return database;
}

Statement prepare(const Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.handle.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    throw failure(database);
  }
  return {statement, sqlite3_finalize};
}

bool step(const Database& database, const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) throw failure(database);
  return code == SQLITE_ROW;
}

void execute(const Database& database, const char* sql) {
  const Statement statement = prepare(database, sql);
  while (step(database, statement)) {
  }
}

int64_t number_of(const Database& database, const char* sql) {
  const Statement statement = prepare(database, sql);
  return step(database, statement) ? sqlite3_column_int64(statement.get(), 0) : 0;
}

void bind(const Statement& statement, int parameter, const std::string& text) {
  sqlite3_bind_text(statement.get(), parameter, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}

std::string text_at(const Statement& statement, int column) {
  const auto* text = sqlite3_column_text(statement.get(), column);
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement.get(), column));
  return text == nullptr ? "" : std::string(reinterpret_cast<const char*>(text), bytes);
}

}  // namespace store
