#include "azure/zip.hpp"

#include <fmt/format.h>
#include <minizip/zip.h>
#include <zlib.h>

#include "base/error.hpp"

namespace azure {

namespace {

constexpr uLong kMadeOnUnix = 3U << 8U;
constexpr uLong kRegularFile = 0100000;

base::Error failure(const std::string& path) {
  return {base::exit_local_io, fmt::format("can't write {}", path)};
}

void add(zipFile zip, const AppFile& file, const std::string& path) {
  zip_fileinfo about = {};
  about.tmz_date = {0, 0, 0, 1, 0, 2000};  // the same files make the same package
  about.external_fa = (kRegularFile | (file.executable ? 0755U : 0644U)) << 16U;
  const int opened =
      zipOpenNewFileInZip4_64(zip, file.path.c_str(), &about, nullptr, 0, nullptr, 0, nullptr,
                              Z_DEFLATED, Z_DEFAULT_COMPRESSION, 0, -MAX_WBITS, DEF_MEM_LEVEL,
                              Z_DEFAULT_STRATEGY, nullptr, 0, kMadeOnUnix, 0, 0);
  if (opened != ZIP_OK) throw failure(path);
  const auto bytes = static_cast<unsigned>(file.content.size());
  if (zipWriteInFileInZip(zip, file.content.data(), bytes) != ZIP_OK) throw failure(path);
  if (zipCloseFileInZip(zip) != ZIP_OK) throw failure(path);
}

}  // namespace

void write_zip(const std::string& path, const std::vector<AppFile>& files) {
  const zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  if (zip == nullptr) throw failure(path);
  try {
    for (const AppFile& file : files) add(zip, file, path);
  } catch (...) {
    zipClose(zip, nullptr);
    throw;
  }
  if (zipClose(zip, nullptr) != ZIP_OK) throw failure(path);
}

}  // namespace azure
