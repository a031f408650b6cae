// The folder `larder init` makes: a small shop whose data ends now.
#pragma once

#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct SampleFile {
  std::string name;
  std::string about;  // one line
  std::string text;
};

// Times are counted back from `now`, so that values are fresh; all else is the same on every call.
[[nodiscard]] std::vector<SampleFile> MakeSampleFiles(Timestamp now);

// What to run inside the folder, in this order.
struct SampleCommand {
  std::string about;  // one line
  std::string line;   // for a shell
};
[[nodiscard]] std::vector<SampleCommand> SampleCommands();

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
