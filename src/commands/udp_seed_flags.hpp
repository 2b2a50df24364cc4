// The command lines of udptool, in whose place udp-load stands, in this tool's own words.
#pragma once

#include <string>
#include <vector>

namespace commands {

// Translates what follows "udp-load". Flags as Go's flag package reads them: -flag value,
// -flag=value, with one or two dashes; booleans (-server, -verbose, -serverrespond, -help) take no
// next word, only =true or =false.
//   -server          the job "server"      -noclients N      --clients=N
//   -noclientaddr N  --client-addrs=N      -minclientaddr A  --min-client-addr=A
//   -packetsize N    --packet-size=N       -serverrespond    --server-respond
//   -host -port -seconds -bps -verbose     the same with two dashes
// When no job (server, client, demo, routes, merge) is the first word, "server" is put there for
// -server, and as with udptool the flags of the other side do nothing, one of -noclientaddr and
// -minclientaddr alone gets the other's default (1, 127.0.0.1), and -help is all that counts. After
// routes and merge, and after "--", nothing is translated. Other words stay as they are. Throws 64
// for a flag without its value, for an empty host, for -server against the job's name, and for
// -profile.
std::vector<std::string> without_seed_flags(std::vector<std::string> arguments);

}  // namespace commands
