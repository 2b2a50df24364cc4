// Texts that the build writes into the program: the hand-written parts of the manual (docs/man) and
// the licences of what is linked. Made by cmake/texts.cmake.
#pragma once

#include <span>
#include <string_view>

namespace commands {

// The part of a command's manual page that is written by hand, docs/man/NAME.txt; "" when there is
// none.
std::string_view manual_text(std::string_view name);

// The date that the manual bears, "2026-11-30": that of the version, of the build before a release.
std::string_view manual_date();

// A library that is linked into the program, or compiled into it.
struct Library {
  std::string_view name;
  std::string_view version;  // Debian's, "3.0.17-1~deb12u2", which says what is patched
  std::string_view licence;  // SPDX, "Apache-2.0"
  std::string_view source;   // Debian's source package
  std::string_view notice;   // copyright and terms, as Debian or the author ships them
};
std::span<const Library> libraries();

// Texts that several notices only name: Apache-2.0, LGPL-2.1.
struct LicenceText {
  std::string_view name;
  std::string_view text;
};
std::span<const LicenceText> licence_texts();

}  // namespace commands
