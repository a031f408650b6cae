// Finding what the store knows of an event's id: beside its key, or in a record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feature_store/tables.h"
#include "feature_store/window_records.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// What is kept of a view's windows as a whole. `records`: a snapshot, or a transaction.
template <class Records>
absl::StatusOr<WindowRecord> ReadWindowRecord(const Records& records, uint32_t data_id) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> bytes,
                          records.GetRecord(kWindowTable, WindowPrefix(data_id)));
  return bytes ? WindowRecord::Parse(*bytes) : absl::StatusOr<WindowRecord>(WindowRecord());
}

// The name of an id's record.
struct WindowIdName {
  // `by_key`: ids of one key are neighbours in the file.
  WindowIdName(uint32_t data_id, bool by_key, std::string_view entity_key, std::string_view id);

  std::string name;
  uint64_t hash = 0;  // WindowIdFilter's
};

struct FoundWindowId {
  std::optional<WindowId> id;
  bool has_record = false;
};

// `records`: a snapshot, or a transaction. `record`, `ids`: of the view and the key, in it.
// Cost: nothing, or one descent.
template <class Records>
absl::StatusOr<FoundWindowId> FindWindowId(const Records& records, uint32_t data_id,
                                           const WindowRecord& record, std::string_view entity_key,
                                           const WindowKeyIds& ids, std::string_view id) {
  if (const WindowId* const waiting = ids.Find(id)) return FoundWindowId{*waiting, false};
  const WindowIdName name(data_id, record.ids_by_key, entity_key, id);
  if (!ids.recorded.MayHave(name.hash)) return FoundWindowId();
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> bytes,
                          records.GetRecord(kWindowIdTable, name.name));
  if (!bytes) return FoundWindowId();
  LARDER_ASSIGN_OR_RETURN(WindowId found, WindowId::Parse(*bytes));
  return FoundWindowId{std::move(found), true};
}

}  // namespace larder::inline LARDER_ABI
