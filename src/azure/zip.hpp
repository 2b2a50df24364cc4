// A zip file as Azure's deployments take it.
// Source: PKWARE APPNOTE.TXT 4.4 (external attributes: the Unix mode in the upper half).
#pragma once

#include <string>
#include <vector>

#include "azure/function_app.hpp"

namespace azure {

// Writes the files, deflated, with their run bits, in place of what was at `path`. Throws 74.
void write_zip(const std::string& path, const std::vector<AppFile>& files);

}  // namespace azure
