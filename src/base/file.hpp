// Whole files in and out, with limits and errors that name the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace base {

// The bytes of a file, or of standard input when path is "-". `what` names it in errors ("the
// event"). Throws 66 when it is missing, unreadable or a directory, 65 when it has more than
// max_bytes, 74 when reading fails half way.
std::string read_file(const std::string& path, size_t max_bytes, const std::string& what);

// Appends in one write. Throws 74.
void append_to_file(const std::string& path, std::string_view text);

// The file has just this text afterwards. Throws 74.
void replace_file(const std::string& path, std::string_view text);

// Opens /dev/null where one of the three standard streams is closed, before anything else is opened
// and takes its number.
void fill_standard_streams();

// Writes to standard output and flushes. Throws 74, also on a closed pipe.
void write_stdout(std::string_view text);

// Writes to standard error; a failure there has nobody left to be told to.
void write_stderr(std::string_view text);

}  // namespace base
