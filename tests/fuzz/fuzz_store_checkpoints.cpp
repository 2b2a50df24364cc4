// Files that are to be a checkpoint file or a board (SQLite). Holds: a file that is opened works:
// what is saved is found. One that is damaged is refused.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz.hpp"
#include "store/board.hpp"
#include "store/checkpoints.hpp"

namespace {

// A folder of this process, in memory where there is one.
std::string folder() {
  const std::filesystem::path memory = "/dev/shm";
  const auto place =
      std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
  const std::string path = (place / ("fuzz-store-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(path);
  return path;
}

std::string fresh(const std::string& bytes) {
  static const std::string path = folder() + "/file.db";
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(path + beside);
  }
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

void check_checkpoints(const std::string& path) {
  fuzz::takes([&] { store::read_checkpoints(path); });
  fuzz::takes([&] {
    store::Checkpoints file(path);
    const store::Checkpoint saved{"sales", "orders", 7, 0, UINT64_MAX, "{}", 1'700'000'000};
    file.find("sales", "orders");
    file.save(saved);
    const auto found = file.find("sales", "orders");
    fuzz::expect(found && found->revision == 7 && found->prepare == UINT64_MAX,
                 "what is saved is found");
    file.remove("sales");
    fuzz::expect(!file.find("sales", "orders"), "what is removed is gone");
  });
}

void check_board(const std::string& path) {
  fuzz::takes([&] { store::read_notes(path); });
  fuzz::takes([&] {
    store::write_note(path, {"prod", "v1", "ada", 7});
    const auto note = store::read_note(path, "PROD");
    fuzz::expect(note && note->value == "v1", "a note is found");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = fuzz::text_of(data, size);
  check_checkpoints(fresh(bytes));
  check_board(fresh(bytes));
  return 0;
}
