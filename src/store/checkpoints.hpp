// How far each event processor has come, and its running value, in an SQLite file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace store {

struct Checkpoint {
  std::string processor;
  std::string source;  // the stream's name, "$all", or "file:" and a path
  // The last thing done. In a stream `revision`; in $all `commit` and `prepare`; unused ones 0.
  uint64_t revision = 0;
  uint64_t commit = 0;
  uint64_t prepare = 0;
  std::string state;  // the running value; "" without one
  int64_t saved_unix_s = 0;
};

// The file, which one process has for itself as long as this lives. May be used from any thread.
class Checkpoints {
 public:
  // Opens it, or makes it. Throws 74 when it can't be used or is no such file (damaged: with the
  // remedy), 75 when another process has it.
  explicit Checkpoints(const std::string& path);
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;
  ~Checkpoints();

  std::optional<Checkpoint> find(const std::string& processor, const std::string& source);

  // Durable when it returns: it survives a crash of the machine. In place of the one of the same
  // processor and source. Throws 74: then the one from before still stands.
  void save(const Checkpoint& checkpoint);

  // Removes those of a processor; how many there were.
  int remove(const std::string& processor);

 private:
  struct File;
  std::unique_ptr<File> file_;
};

// All of them, by processor and source, without getting in the way of a process that has the file.
// Throws 66 when there is no such file, 74 as above.
std::vector<Checkpoint> read_checkpoints(const std::string& path);

}  // namespace store
