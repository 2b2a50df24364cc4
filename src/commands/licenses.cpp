#include "commands/licenses.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/texts.hpp"

namespace commands {

namespace {

constexpr size_t kWidth = 96;

std::string paragraph(const std::string& text) {
  return "\n" + base::wrap(text, 0, kWidth) + "\n";
}

// What the LGPL asks for: that a person may put another version of the library into the program.
std::string relinking() {
  return paragraph(
             "All of it is linked statically. Each version is that of a Debian source package: "
             "`apt-get source NAME` brings it, with Debian's patches (wslay is in aria2's).") +
         paragraph(
             "libmicrohttpd and glibc are under the LGPL, which gives you the right to link this "
             "program with a version of them that you changed. The program's whole source is there "
             "for that. Put the archive of your libmicrohttpd into build/deps/lib "
             "(build_microhttpd "
             "in ./dev shows how it is made), or install your libc6-dev; then run ./dev build.");
}

std::string table() {
  std::string text =
      fmt::format("{} {}  Apache-2.0\n\nIt contains\n", PRODUCT_NAME, PRODUCT_VERSION);
  for (const Library& library : libraries()) {
    text += fmt::format("  {:<14} {:<20} {:<42} {}\n", library.name, library.version,
                        library.licence, library.source);
  }
  return text;
}

std::string heading(std::string_view text) {
  return fmt::format("\n{0:=<{1}}\n{2}\n{0:=<{1}}\n\n", "", kWidth, text);
}

std::string notices() {
  std::string text = paragraph(
      "Notices as Debian, or the author, ships them. They cover a whole source package, "
      "also parts that are not linked here: tools, tests, packaging.");
  for (const Library& library : libraries()) {
    text += heading(fmt::format("{} {} ({})", library.name, library.version, library.licence));
    text += library.notice;
  }
  for (const LicenceText& terms : licence_texts()) {
    text += heading(terms.name);
    text += terms.text;
  }
  return text;
}

int run(const Options& options) {
  std::string text = table() + relinking();
  text += options.toggle("full")
              ? notices()
              : paragraph(PRODUCT_NAME " licenses --full prints the notices and the licences.");
  base::write_stdout(text);
  return base::exit_ok;
}

}  // namespace

std::vector<Option> licenses_options() {
  return {
      {"Output", "--full", "", "", "", "the notices and the licences' texts too", Kind::toggle}};
}

Page licenses_help() {
  return {"[--full]",
          "Names every library that is linked into this program: name, version, licence, Debian's "
          "source package.",
          "  " PRODUCT_NAME " licenses\n  " PRODUCT_NAME " licenses --full | less\n"};
}

Run add_licenses(CLI::App& app, const base::Env& env) {
  const auto options = std::make_shared<Options>(app, licenses_options(), env);
  set_help(app, licenses_help(), options->table());
  return [options] { return run(*options); };
}

}  // namespace commands
