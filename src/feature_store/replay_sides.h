// One set of definitions as two: where all events are pushed, and where all are read from files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/replay.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct ReplaySides {
  // A source to push to, and the files that hold its events.
  struct Stream {
    Source pushed;
    Source file;
  };
  Definitions served;   // every source of `streams` is a push source
  Definitions trained;  // every one of them is read from its files
  std::vector<Stream> streams;

  // Errors: those of a plan; kNotFound for a service or source there is not; kInvalidArgument when it is not clear which
  // source a file is of; kFailedPrecondition for a push source without files; kUnimplemented, see Replay.
  static absl::StatusOr<ReplaySides> Make(const Definitions& definitions, std::string_view service,
                                          const ReplayOptions& options);
};

}  // namespace larder::inline LARDER_ABI
