// The files of an Azure Functions app whose custom handler is this program.
// Source: learn.microsoft.com "host.json reference", "Azure Functions custom handlers".
#pragma once

#include <string>
#include <vector>

namespace azure {

struct AppFile {
  std::string path;  // below the app's folder
  std::string content;
  bool executable = false;
};

// A function that HTTP requests call, anonymously: what they may do is the bot's business.
struct HttpFunction {
  std::string name;   // the folder's name
  std::string route;  // below /api/; "" for the name
  std::vector<std::string> methods;
};

// host.json, which forwards HTTP requests as they are to `executable` with `arguments` (paths
// relative to the app's folder), and a function.json for each function.
std::vector<AppFile> function_app(const std::string& executable,
                                  const std::vector<std::string>& arguments,
                                  const std::vector<HttpFunction>& functions);

// Whether Azure takes it for a function's name: a letter, then letters, digits, - and _.
bool is_function_name(const std::string& name);

}  // namespace azure
