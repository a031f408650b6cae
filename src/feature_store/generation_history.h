// Which generation of a view was live after which history entry, so that data can go back with definitions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "larder/registry/catalog.h"

namespace larder::inline LARDER_ABI {

// What was live before an entry changed it.
struct LiveBefore {
  uint64_t generation = 0;  // 0: none
  std::string load_record;  // LoadRecord's bytes; empty: none
};

// Notes, with history entry `number`, that the generation of `data_id` changes in this transaction.
absl::Status NoteGeneration(WriteTransaction& transaction, uint64_t number, uint32_t data_id,
                            const LiveBefore& before);
// The same, reading what is live now from the transaction.
absl::StatusOr<LiveBefore> LiveNow(const WriteTransaction& transaction, uint32_t data_id);

// The generations that were live just after entry `number` and are not now, of the project's views, or of one: by data
// id. What had no rows then keeps those it has: going back takes no rows away. Errors: kCorrupt.
absl::StatusOr<std::map<uint32_t, LiveBefore>> GenerationsToRestore(const ReadSession& session,
                                                                    const Catalog& catalog,
                                                                    uint64_t number,
                                                                    std::string_view project,
                                                                    std::string_view view);
// Makes them live again, with a note under entry `number`. Requires: all are kept.
absl::Status RestoreGenerations(WriteTransaction& transaction, uint64_t number,
                                const std::map<uint32_t, LiveBefore>& restore);

}  // namespace larder::inline LARDER_ABI
