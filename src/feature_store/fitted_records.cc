#include "feature_store/fitted_records.h"

#include <optional>

#include "feature_store/tables.h"

namespace larder::inline LARDER_ABI {

std::string FittedKey(std::string_view name, int version) {
  std::string key(name);
  key.push_back('\0');
  return key + BigEndianKey(static_cast<uint64_t>(version));
}

absl::StatusOr<std::shared_ptr<const FittedEntry>> FittedRecords::Find(std::string_view name,
                                                                       int version) const {
  const std::string wanted = FittedKey(name, version);
  if (version > 0) {
    const std::lock_guard lock(mutex_);
    if (const auto known = read_.find(wanted); known != read_.end()) return known->second;
  }
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(environment_));
  std::string key;
  std::optional<std::string> bytes;
  const std::string prefix = wanted.substr(0, name.size() + 1);
  LARDER_RETURN_IF_ERROR(session.ListRecords(
      kFittedTable,
      [&](std::string_view at, std::string_view value) {
        if (at.substr(0, prefix.size()) != prefix || (version > 0 && at != wanted)) return false;
        key = at;
        bytes = value;  // of the last one: the latest
        return true;
      },
      version > 0 ? wanted : prefix));
  if (!bytes.has_value()) return nullptr;
  LARDER_ASSIGN_OR_RETURN(FittedEntry entry, FittedEntry::Parse(*bytes));
  auto shared = std::make_shared<const FittedEntry>(std::move(entry));
  const std::lock_guard lock(mutex_);
  return read_.emplace(std::move(key), std::move(shared)).first->second;
}

std::vector<std::string> FittedRecords::Names() const {
  std::vector<std::string> names;
  const absl::StatusOr<ReadSession> session = ReadSession::Open(environment_);
  if (!session.ok()) return names;
  const absl::StatusOr<std::vector<FittedEntry>> entries = ListFitted(*session);
  if (!entries.ok()) return names;
  for (const FittedEntry& entry : *entries) names.push_back(Concat(entry.name, "@", entry.version));
  return names;
}

absl::StatusOr<std::vector<FittedEntry>> ListFitted(const ReadSession& session) {
  std::vector<FittedEntry> entries;
  absl::Status damage;
  LARDER_RETURN_IF_ERROR(
      session.ListRecords(kFittedTable, [&](std::string_view, std::string_view bytes) {
        absl::StatusOr<FittedEntry> entry = FittedEntry::Parse(bytes);
        if (entry.ok()) {
          entries.push_back(*std::move(entry));
        } else {
          damage = entry.status();
        }
        return damage.ok();
      }));
  if (!damage.ok()) return damage;
  return entries;
}

}  // namespace larder::inline LARDER_ABI
