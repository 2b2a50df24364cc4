#include <fmt/format.h>

#include "azure/script_text.hpp"
#include "net/base64.hpp"

namespace azure {

namespace {

constexpr std::string_view kHead =
    R"(# @PRODUCT@ wrote this; the script it is about stands below in base64.
$ErrorActionPreference = 'Stop'
$nonce = '@NONCE@'
$dir = [IO.Path]::Combine([IO.Path]::GetTempPath(), "@PRODUCT@-$nonce")
function Get-File($name) { [IO.Path]::Combine($dir, $name) }
function Stop-Run($why) { [Console]::Error.WriteLine("@PRODUCT@: $why"); exit 1 }
)";

constexpr std::string_view kRemove =
    "Remove-Item -LiteralPath $dir -Recurse -Force -ErrorAction SilentlyContinue\n";

constexpr std::string_view kMakeFolder =
    R"(try { [void](New-Item -ItemType Directory -Path $dir) } catch { Stop-Run "the script was not started: $_" }
try {
)";

constexpr std::string_view kSave =
    R"([IO.File]::WriteAllBytes((Get-File '@NAME@'), [Convert]::FromBase64String('
@BASE64@'))
)";

// A process of its own, so that the script meets nothing of the wrapper. Without a redirection its
// streams are the wrapper's. The same PowerShell as the wrapper's, by the folder it stands in.
constexpr std::string_view kStart =
    R"($start = New-Object Diagnostics.ProcessStartInfo
$start.FileName = 'powershell.exe', 'pwsh.exe', 'pwsh' | ForEach-Object { [IO.Path]::Combine($PSHOME, $_) } |
  Where-Object { [IO.File]::Exists($_) } | Select-Object -First 1
$start.Arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -File "' + (Get-File 'launch.ps1') + '"'
$start.UseShellExecute = $false
$start.RedirectStandardInput = $true
@REDIRECT@$process = [Diagnostics.Process]::Start($start)
} catch {
  $why = $_
  @REMOVE@  Stop-Run "the script was not started: $why"
}
$process.StandardInput.Close()
)";

// Without a buffer, so that everything is in the files even when the copying has not ended.
constexpr std::string_view kRedirect = R"($start.CreateNoWindow = $true
$start.RedirectStandardOutput = $true
$start.RedirectStandardError = $true
$out = New-Object IO.FileStream -ArgumentList (Get-File 'o'), 'Create', 'Write', 'Read', 1
$err = New-Object IO.FileStream -ArgumentList (Get-File 'e'), 'Create', 'Write', 'Read', 1
)";

constexpr std::string_view kPlain = R"($process.WaitForExit()
@REMOVE@exit $process.ExitCode
)";

// What the script leaves running may hold the pipes: the copying is waited for no longer than 5 s.
constexpr std::string_view kRun =
    R"([Threading.Tasks.Task[]]$copies = $process.StandardOutput.BaseStream.CopyToAsync($out), $process.StandardError.BaseStream.CopyToAsync($err)
$process.WaitForExit()
try { [void][Threading.Tasks.Task]::WaitAll($copies, 5000) } catch { }
$out.Dispose()
$err.Dispose()
Remove-Item -LiteralPath (Get-File 'script.ps1'), (Get-File 'launch.ps1') -Force -ErrorAction SilentlyContinue
$code = $process.ExitCode
$from = @{ o = [long]0; e = [long]0 }
)";

constexpr std::string_view kFetch =
    R"(if (-not [IO.Directory]::Exists($dir)) { Stop-Run "the output that was kept on this machine is gone: $dir" }
$code = '-'
$from = @{ o = [long]@OUT@; e = [long]@ERR@ }
)";

// The same as the report in script_sh.cpp.
constexpr std::string_view kReport =
    R"($all = @{ o = (New-Object IO.FileInfo (Get-File 'o')).Length; e = (New-Object IO.FileInfo (Get-File 'e')).Length }
$to = $all.Clone()
function Get-Base64($name, [long]$at, [int]$size, [bool]$zip) {
  $bytes = New-Object byte[] $size
  $file = [IO.File]::OpenRead((Get-File $name))
  [void]$file.Seek($at, 'Begin')
  $got = 0
  do { $read = $file.Read($bytes, $got, $size - $got); $got += $read } while ($read -gt 0)
  $file.Dispose()
  if (-not $zip) { return [Convert]::ToBase64String($bytes) }
  $memory = New-Object IO.MemoryStream
  $gzip = New-Object IO.Compression.GZipStream -ArgumentList $memory, ([IO.Compression.CompressionMode]::Compress)
  $gzip.Write($bytes, 0, $size)
  $gzip.Dispose()
  return [Convert]::ToBase64String($memory.ToArray())
}
# Of what is left to send of a file, as much as fits in a line.
function Get-Frame($name) {
  $data = ''
  $mode = 'z'
  $size = $to[$name] - $from[$name]
  if ($size -gt 1048576) { $size = 1048576 }
  while ($size -gt 2910) {
    $at = @AT@
    $data = Get-Base64 $name $at $size $true
    if ($data.Length -le 3880) { break }
    $size = [long][Math]::Floor($size * 38 / [Math]::Floor($data.Length / 100 + 1))
    $data = ''
  }
  if (-not $data) {
    $mode = 'b'
    $size = $to[$name] - $from[$name]
    if ($size -gt 2910) { $size = 2910 }
    $at = @AT@
    $data = Get-Base64 $name $at $size $false
  }
  @LEFT@[$name] = @BORDER@
  return "$nonce+$name $data $mode $code $($all.o) $($all.e) $at $nonce-$name"
}
if ($from.o -lt $to.o) { $first = Get-Frame 'o' } else { $first = Get-Frame 'e' }
if ($from.e -lt $to.e) { $second = Get-Frame 'e' } else { $second = Get-Frame 'o' }
@DONE@[Console]::Out.WriteLine($first)
[Console]::Error.WriteLine($second)
exit 0
)";

constexpr std::string_view kRemoveUnlessLeft =
    "if ($from.o -ge $to.o -and $from.e -ge $to.e) { @REMOVE@}\n";

// Runs in the process of its own. Its variables are private: the script does not see them. `&`
// stands in no try, which would make the script's own errors end it; a script that could not be
// started or was ended by an error leaves $? false.
constexpr std::string_view kLaunch =
    R"(try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { }
$private:path = @PATH@
$private:named = @{}
$private:positional = @()
@PARAMETERS@@SWITCHES@$global:LASTEXITCODE = 0
& $path @named @positional
if (-not $? -and $LASTEXITCODE -eq 0) { exit 1 }
exit $LASTEXITCODE
)";

// Whether a parameter is a switch says the script itself; what it can't say is left as it is.
constexpr std::string_view kSwitches =
    R"($private:known = try { $ExecutionContext.InvokeCommand.GetCommand($path, 'ExternalScript').Parameters } catch { }
foreach ($private:name in @($named.Keys)) {
  if ($known -and $known[$name] -and [switch], [bool] -contains $known[$name].ParameterType -and $named[$name] -match '^\$?(true|false)$') {
    $named[$name] = $named[$name] -match 'true'
  }
}
)";

std::vector<Place> names(const std::string& nonce) {
  return {{"PRODUCT", PRODUCT_NAME}, {"NONCE", nonce}, {"REMOVE", std::string(kRemove)}};
}

std::string report(const std::string& nonce, bool from_start) {
  std::vector<Place> places{{"AT", from_start ? "$from[$name]" : "$to[$name] - $size"},
                            {"LEFT", from_start ? "$from" : "$to"},
                            {"BORDER", from_start ? "$at + $size" : "$at"}};
  places.push_back({"DONE", std::string(from_start ? kRemoveUnlessLeft : "@REMOVE@")});
  for (const Place& place : names(nonce)) places.push_back(place);
  return fill(kReport, places);
}

std::string text_of(const std::string& bytes) {
  return fmt::format("[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{}'))",
                     net::base64(bytes));
}

std::string launch(const Script& script) {
  std::string lines;
  bool has_names = false;
  for (const Parameter& parameter : script.parameters) {
    has_names = has_names || !parameter.name.empty();
    lines +=
        parameter.name.empty() ? "$positional += " : fmt::format("$named['{}'] = ", parameter.name);
    lines += text_of(parameter.value) + "\n";
  }
  for (const std::string& each : script.arguments)
    lines += "$positional += " + text_of(each) + "\n";
  const std::string path = script.remote_path.empty()
                               ? "[IO.Path]::Combine($PSScriptRoot, 'script.ps1')"
                               : text_of(script.remote_path);
  return fill(kLaunch, {{"PATH", path},
                        {"PARAMETERS", lines},
                        {"SWITCHES", has_names ? std::string(kSwitches) : ""}});
}

// Windows PowerShell 5.1 reads a file without a byte order mark as ANSI.
std::string with_mark(const std::string& text) {
  for (const std::string_view mark : {"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"}) {
    if (text.starts_with(mark)) return text;
  }
  return "\xEF\xBB\xBF" + text;
}

std::string save(const std::string& name, const std::string& bytes) {
  return fill(kSave, {{"NAME", name}, {"BASE64", base64_lines(bytes)}});
}

}  // namespace

std::string wrap_powershell(const Script& script, const std::string& nonce, Output output) {
  std::vector<Place> places = names(nonce);
  places.push_back({"REDIRECT", output == Output::plain ? "" : std::string(kRedirect)});
  std::string text = fill(kHead, places);
  text += kMakeFolder;
  if (script.remote_path.empty()) text += save("script.ps1", with_mark(script.text));
  text += save("launch.ps1", launch(script));
  text += fill(kStart, places);
  if (output == Output::plain) return text + fill(kPlain, places);
  text += kRun;
  return text + report(nonce, output == Output::framed_from_start);
}

std::string fetch_powershell(const std::string& nonce, int64_t out_offset, int64_t err_offset) {
  std::vector<Place> places = names(nonce);
  places.push_back({"OUT", std::to_string(out_offset)});
  places.push_back({"ERR", std::to_string(err_offset)});
  return fill(std::string(kHead) + std::string(kFetch), places) + report(nonce, true);
}

}  // namespace azure
