// Wraps a person's script for Azure's run commands, whose answer holds the last 4,096 bytes of each
// stream, in whatever encoding the machine likes, and (on Linux) no exit code. The text made here
// runs the script on the machine and reports in ASCII: one line, a frame, on standard output and
// one on standard error, read by azure/script_report.hpp:
//
//   <nonce>+o BASE64 MODE EXIT OUT_TOTAL ERR_TOTAL OFFSET <nonce>-o
//
// o (standard output) or e (standard error) says whose bytes BASE64 holds, OFFSET where in the
// stream they begin, MODE whether they are gzipped (z) or not (b); EXIT is - in a later run. The
// numbers stand behind the bytes, as it is the front that Azure cuts. A frame has at most 4,000
// characters. A stream that has nothing to send lends its line to the other one.
//
// Script, path, arguments and parameter values arrive byte for byte. The script's standard input is
// empty, and it sees no variable of the wrapper. What it leaves running is not waited for (on
// Windows 5 s, while it holds the script's output).
//
// sh, bash: POSIX sh, base64, head -c, tail -c, tr, wc, mkdir, rm; gzip if there. The first line
// picks the interpreter as Linux does (`#!`), else the shell does; nothing is executed from /tmp.
// powershell: Windows PowerShell 5.1 and PowerShell 7. The exit code is the one of `exit`, 1 after
// an uncaught throw or a parse error, else the last native command's.
//
// What can't be set up on the machine (no base64, a full disk) is said there in one line on
// standard error, with exit code 1 and without a frame; the script did not run then.
// Source: learn.microsoft.com "Run scripts in your VM by using Run Command"; execve(2);
// "about_Pwsh", "about_Splatting".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace azure {

constexpr size_t kMaxScriptBytes = 262'144;  // of the wrapped text: Azure takes no more

enum class Shell { sh, bash, powershell };

// sh, bash: every value is an argument, in order, and a named one is also a variable of the
// script's environment. powershell: -name value; true, $true, false and $false become what they say
// where the script declares a [switch] or a [bool].
struct Parameter {
  std::string name;  // "" for one that only has a place
  std::string value;
};

struct Script {
  Shell shell = Shell::sh;
  std::string text;         // its bytes; or
  std::string remote_path;  // where on the machine it is. Linux: executed if it may be, else read
                            // by the shell; exit code 127 when it is not there
  std::vector<Parameter> parameters;
  std::vector<std::string> arguments;  // behind the parameters
};

enum class Output {
  framed,             // the end of each stream, as much as fits
  framed_from_start,  // from the start; what does not fit is kept on the machine for fetch()
  plain,              // streams and exit code of the script as they are, nothing is reported
};

// The text to send. `nonce`: 16 hexadecimal digits that nobody can guess, new for every script.
// Throws 64 for a name that is none in that shell, a NUL in an argument or a path, an argument that
// is not UTF-8 for powershell, and named parameters for a program with = in its path (env can't
// start it); 65 for a text over kMaxScriptBytes.
std::string wrap(const Script& script, const std::string& nonce, Output output);

// A later run, which reports what follows those offsets. The run that reports the last bytes
// removes what was kept. Fails on the machine as above when nothing is kept there.
std::string fetch(Shell shell, const std::string& nonce, int64_t out_offset, int64_t err_offset);

}  // namespace azure
