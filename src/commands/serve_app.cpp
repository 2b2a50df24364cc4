#include "commands/serve_app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "azure/function_app.hpp"
#include "azure/zip.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/report.hpp"
#include "commands/serve_options.hpp"
#include "commands/slack_serve.hpp"

namespace commands {

namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnBinary = "/proc/self/exe";
constexpr const char* kBotFile = "bot.yaml";
constexpr size_t kMostBytes = size_t{64} << 20U;

void check(const std::error_code& failure, const fs::path& path) {
  if (!failure) return;
  throw base::Error(base::exit_local_io,
                    fmt::format("can't write {}: {}", path.string(), failure.message()));
}

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  check(failure, folder);
}

void make_empty_folder(const fs::path& folder) {
  make_folder(folder);
  std::error_code failure;
  const bool is_empty = fs::is_empty(folder, failure);
  check(failure, folder);
  if (!is_empty) {
    throw base::Error(base::exit_usage,
                      fmt::format("{} is not empty; name a new folder", folder.string()));
  }
}

void write_folder(const fs::path& folder, const std::vector<azure::AppFile>& files) {
  make_empty_folder(folder);
  for (const azure::AppFile& file : files) {
    const fs::path path = folder / file.path;
    make_folder(path.parent_path());
    base::append_to_file(path.string(), file.content);
    std::error_code failure;
    if (file.executable) fs::permissions(path, fs::perms{0755}, failure);
    check(failure, path);
  }
}

// The programs beside the bot's file go with it; others must be there already.
void add_programs(std::vector<azure::AppFile>& files, const slack::Bot& bot, const base::Env& env) {
  for (const slack::Handler& handler : bot.handlers) {
    if (!handler.board.empty()) {
      report_notice(env, kSlackServe,
                    fmt::format("{} keeps {} in the app's folder, which a package makes read-only; "
                                "name a place that stays, /home/{}",
                                handler.name, handler.board, handler.board));
    }
    if (handler.argv.empty()) continue;
    const std::string& program = handler.argv.front();
    const std::string path = program.starts_with("./") ? program.substr(2) : "";
    const bool is_there = std::any_of(files.begin(), files.end(),
                                      [&](const auto& file) { return file.path == path; });
    if (!path.empty() && !is_there) {
      files.push_back({path, base::read_file(program, kMostBytes, "a program of the bot"), true});
    } else if (path.empty() && program.find('/') != std::string::npos) {
      report_notice(
          env, kSlackServe,
          fmt::format("{} runs {}, which must be there on Azure; a program beside the bot's "
                      "file, ./NAME, goes into the app",
                      handler.name, program));
    }
  }
}

// The function that Slack calls, and one for each of the bot's own paths.
std::vector<azure::HttpFunction> functions_of(const slack::Bot& bot, const Options& options) {
  const std::string name = base::trim(options.text("function"));
  if (!azure::is_function_name(name)) {
    throw options.wrong_value("function", "letters, digits, - and _, a letter first");
  }
  std::vector<azure::HttpFunction> functions{{name, "", {"GET", "POST"}}};
  for (const slack::Handler& handler : bot.handlers) {
    if (handler.trigger != slack::Handler::Trigger::http || handler.pattern == "/") continue;
    const std::string route = handler.pattern.substr(1);
    const std::string folder = base::replace_all(route, "/", "-");
    if (!azure::is_function_name(folder)) {
      throw base::Error(
          base::exit_bad_input,
          fmt::format("Azure takes no function named {}; give the handler another path", folder));
    }
    functions.push_back({folder, route, handler.methods});
  }
  return functions;
}

}  // namespace

int write_function_app(const Options& options) {
  const slack::Bot bot = read_bot_file(options);
  const std::vector<azure::HttpFunction> functions = functions_of(bot, options);
  const std::vector<std::string> arguments = {kSlackServe, "--config", kBotFile};
  std::vector<azure::AppFile> files = azure::function_app(PRODUCT_NAME, arguments, functions);
  files.push_back(
      {kBotFile, base::read_file(options.text("config"), kMostBytes, "the bot"), false});
  files.push_back({PRODUCT_NAME, base::read_file(kOwnBinary, kMostBytes, "this binary"), true});
  add_programs(files, bot, options.env());
  const std::string folder = options.text("write-function-app");
  const std::string zip = options.text("zip");
  if (!folder.empty()) write_folder(folder, files);
  if (!zip.empty()) azure::write_zip(zip, files);
  print_text(options.env(),
             fmt::format("wrote {}: deploy it on a Linux plan; Slack's request URL is then "
                         "https://YOUR-APP.azurewebsites.net/api/{}\n",
                         zip.empty() ? folder : zip, functions.front().name));
  for (const slack::Handler& handler : bot.handlers) {
    if (handler.trigger != slack::Handler::Trigger::function) continue;
    report_notice(options.env(), kSlackServe,
                  fmt::format("write {0}/function.json yourself: only you know what triggers {0}",
                              handler.pattern));
  }
  return base::exit_ok;
}

}  // namespace commands
