#include "store/checkpoints.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "store/sqlite.hpp"

namespace store {

namespace {

// Positions are decimal text, as SQLite's numbers have a sign. The mark tells the file from those
// of other programs ("obcp").
constexpr const char* kTable =
    "CREATE TABLE checkpoints (processor TEXT NOT NULL, source TEXT NOT NULL, "
    "revision TEXT NOT NULL, commit_position TEXT NOT NULL, prepare_position TEXT NOT NULL, "
    "state TEXT NOT NULL, saved_unix_s INTEGER NOT NULL, "
    "PRIMARY KEY (processor, source)) WITHOUT ROWID";
constexpr const char* kSetMark = "PRAGMA application_id = 1868718960";
constexpr int64_t kMark = 1868718960;

constexpr const char* kFind = "SELECT * FROM checkpoints WHERE processor = ? AND source = ?";
constexpr const char* kAll = "SELECT * FROM checkpoints ORDER BY processor, source";
constexpr const char* kSave = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kRemove = "DELETE FROM checkpoints WHERE processor = ?";

std::string name_of(const std::string& path) {
  return "the checkpoint file " + path;
}

base::Error cant_open(const std::string& path, base::ExitCode code) {
  const bool is_missing = errno == ENOENT;
  return {code, fmt::format("can't open {}: {}; {}", name_of(path), std::strerror(errno),
                            is_missing ? "its directory must exist" : "give one to write to")};
}

// Opens the file, or makes it, and locks it: for this process alone, however it ends. Not SQLite's
// own locks, as they would keep read_checkpoints() out too.
int open_locked(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) throw cant_open(path, base::exit_local_io);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const bool is_taken = errno == EWOULDBLOCK;
  const std::string why = std::strerror(errno);
  ::close(fd);
  if (!is_taken) {
    throw base::Error(base::exit_local_io, fmt::format("can't lock {}: {}", name_of(path), why));
  }
  throw base::Error(
      base::exit_retries_spent,
      fmt::format("another process uses {}: end it first, or give this one a file of its own",
                  name_of(path)));
}

// A file that was cut off within a page reads as if rows had never been: processors would begin
// anew. It is small, so that a look at all of it costs nothing.
void check_whole(const Database& database) {
  const Statement check = prepare(database, "PRAGMA integrity_check(1)");
  const std::string found = step(database, check) ? text_at(check, 0) : "no answer";
  if (found != "ok") throw damaged(database.name, base::trim(found));
}

// Whether nothing is in it yet; throws when what is in it are no checkpoints.
bool is_new(const Database& database) {
  const int64_t mark = number_of(database, "PRAGMA application_id");
  const int64_t tables = number_of(database, "SELECT count(*) FROM sqlite_master");
  if (mark == kMark && tables > 0) {
    check_whole(database);
    return false;
  }
  if (mark == 0 && tables == 0) return true;
  throw base::Error(
      base::exit_local_io,
      fmt::format("{} holds no checkpoints, but something else: give another file", database.name));
}

Checkpoint checkpoint_at(const Database& database, const Statement& statement) {
  Checkpoint found;
  found.processor = text_at(statement, 0);
  found.source = text_at(statement, 1);
  const bool reads = base::read_number(text_at(statement, 2), found.revision) &&
                     base::read_number(text_at(statement, 3), found.commit) &&
                     base::read_number(text_at(statement, 4), found.prepare);
  if (!reads) throw damaged(database.name, "a position is no number");
  found.state = text_at(statement, 5);
  found.saved_unix_s = sqlite3_column_int64(statement.get(), 6);
  return found;
}

}  // namespace

struct Checkpoints::File {
  explicit File(const std::string& path)
      : lock(open_locked(path)),
        database(open_database(path, name_of(path), SQLITE_OPEN_READWRITE)) {
    const bool begins = is_new(database);
    // A log beside the file: one wait for the disk a save, and readers don't block.
    execute(database, "PRAGMA journal_mode = WAL");
    execute(database, "PRAGMA synchronous = FULL");
    if (begins) {
      execute(database, "BEGIN");
      execute(database, kTable);
      execute(database, kSetMark);
      execute(database, "COMMIT");
    }
  }

  // Closed last: to close any descriptor of the file ends SQLite's locks on it.
  base::Descriptor lock;
  Database database;
  std::mutex mutex;
};

Checkpoints::Checkpoints(const std::string& path) : file_(std::make_unique<File>(path)) {}

Checkpoints::~Checkpoints() {
  // Leaves one plain file, which can be copied, and read where nothing can be written. When that
  // fails the log stays beside it, as after a crash, and nothing is lost.
  sqlite3_exec(file_->database.handle.get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr,
               nullptr);
}

std::optional<Checkpoint> Checkpoints::find(const std::string& processor,
                                            const std::string& source) {
  const std::scoped_lock guard(file_->mutex);
  const Statement statement = prepare(file_->database, kFind);
  bind(statement, 1, processor);
  bind(statement, 2, source);
  if (!step(file_->database, statement)) return std::nullopt;
  return checkpoint_at(file_->database, statement);
}

void Checkpoints::save(const Checkpoint& checkpoint) {
  const std::scoped_lock guard(file_->mutex);
  const Statement statement = prepare(file_->database, kSave);
  bind(statement, 1, checkpoint.processor);
  bind(statement, 2, checkpoint.source);
  bind(statement, 3, std::to_string(checkpoint.revision));
  bind(statement, 4, std::to_string(checkpoint.commit));
  bind(statement, 5, std::to_string(checkpoint.prepare));
  bind(statement, 6, checkpoint.state);
  sqlite3_bind_int64(statement.get(), 7, checkpoint.saved_unix_s);
  step(file_->database, statement);
}

int Checkpoints::remove(const std::string& processor) {
  const std::scoped_lock guard(file_->mutex);
  const Statement statement = prepare(file_->database, kRemove);
  bind(statement, 1, processor);
  step(file_->database, statement);
  return sqlite3_changes(file_->database.handle.get());
}

std::vector<Checkpoint> read_checkpoints(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    throw base::Error(base::exit_missing_input,
                      fmt::format("there is no checkpoint file {}", path));
  }
  const Database database = open_database(path, name_of(path), SQLITE_OPEN_READONLY);
  std::vector<Checkpoint> all;
  if (is_new(database)) return all;
  const Statement statement = prepare(database, kAll);
  while (step(database, statement)) all.push_back(checkpoint_at(database, statement));
  return all;
}

}  // namespace store
