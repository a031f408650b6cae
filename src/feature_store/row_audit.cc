#include "feature_store/row_audit.h"

#include <algorithm>
#include <optional>

#include "larder/base/bytes.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

int64_t InstantAt(const Column* column, std::size_t row, int64_t otherwise) {
  if (column == nullptr || !column->IsValid(row)) return otherwise;
  return column->Values<int64_t>()[row];
}

}  // namespace

RowAudit::RowAudit(const AuditedUse& of)
    : of_(of), source_(of.use.view->offline_source()), keys_(of.keys, of.times.size()) {
  const auto said = [this](std::size_t column) -> const Column& {
    return of_.claims.features[column];
  };
  for (std::size_t o = 0; o < of.claims.outcomes.size(); ++o) {
    const JoinOutcome& outcome = of.claims.outcomes[o];
    std::vector<uint32_t>& numbers = claim_of_.emplace_back(of.times.size(), kNoClaim);
    for (std::size_t row = 0; row < of.times.size(); ++row) {
      const std::string_view key = keys_.views()[row];
      if (outcome.status[row] != FeatureStatus::kPresent || key.data() == nullptr) continue;
      const Column* const times = source_.event_time.empty() ? nullptr : &outcome.event_time;
      const HashWords instant = HashOfInstant(key, times, row);
      first_known_.try_emplace(instant, Contribution::kNever);
      const auto [at, is_new] = numbers_.try_emplace(HashOfValues(instant, o, row, said),
                                                     static_cast<uint32_t>(claims_.size()));
      if (is_new) claims_.emplace_back();
      numbers[row] = at->second;
    }
  }
}

std::pair<std::size_t, std::size_t> RowAudit::ColumnsOf(std::size_t outcome) const {
  if (of_.use.view->definition.partial_updates) return {outcome, outcome + 1};
  return {0, of_.claims.features.size()};
}

RowAudit::HashWords RowAudit::HashOfInstant(std::string_view key, const Column* times,
                                            std::size_t row) {
  ByteWriter bytes;
  bytes.Put(times != nullptr ? times->Values<int64_t>()[row] : int64_t{0});
  std::string text = std::move(bytes).Take();
  text.append(key);
  const Hash128 hash = HashWide(text);
  return {hash.high, hash.low};
}

template <class ColumnAt>
RowAudit::HashWords RowAudit::HashOfValues(const HashWords& instant, std::size_t outcome,
                                           std::size_t row, const ColumnAt& column_at) const {
  ByteWriter bytes;
  bytes.Put(instant.first);
  bytes.Put(instant.second);
  bytes.Put(static_cast<uint64_t>(outcome));
  std::string text = std::move(bytes).Take();
  const auto [begin, end] = ColumnsOf(outcome);
  for (std::size_t column = begin; column < end; ++column)
    AppendCanonicalBytes(column_at(column).ValueAt(row), &text);
  const Hash128 hash = HashWide(text);
  return {hash.high, hash.low};
}

void RowAudit::Add(const MappedEvents& events) {
  const EncodedKeys keys(events.keys, events.row_count);
  const auto held = [&events](std::size_t column) -> const Column& {
    return *events.stored[column];
  };
  std::string id;
  for (std::size_t row = 0; row < events.row_count; ++row) {
    const std::string_view key = keys.views()[row];
    if (key.data() == nullptr) continue;
    if (events.event_time != nullptr && !events.event_time->IsValid(row)) continue;
    const bool is_delete = events.is_delete != nullptr && events.is_delete->IsValid(row) &&
                           events.is_delete->Values<uint8_t>()[row] != 0;
    const HashWords instant = HashOfInstant(key, events.event_time, row);
    const auto first_known = first_known_.find(instant);
    if (is_delete || first_known == first_known_.end()) continue;
    int64_t known_us = Contribution::kNone;
    if (!source_.arrival_time.empty()) {
      known_us = InstantAt(events.arrival_time, row, Contribution::kNever);
    } else if (source_.available_after && events.event_time != nullptr) {
      const Timestamp time{events.event_time->Values<int64_t>()[row]};
      known_us = time.Plus(*source_.available_after).us;
    }
    first_known->second = std::min(first_known->second, known_us);
    id.clear();
    if (events.event_id != nullptr) AppendKeyPart(*events.event_id, row, &id);
    for (std::size_t o = 0; o < claim_of_.size(); ++o) {
      if (of_.use.view->definition.partial_updates && !events.carried[o]) continue;
      const auto found = numbers_.find(HashOfValues(instant, o, row, held));
      if (found == numbers_.end()) continue;
      Claim& claim = claims_[found->second];
      claim.has_other_ids |= claim.is_found && claim.id != id;
      claim.id = id;
      claim.is_found = true;
      claim.known_us = std::min(claim.known_us, known_us);
      claim.ends_us = std::max(
          claim.ends_us, InstantAt(events.valid_to, row, std::numeric_limits<int64_t>::max()));
    }
  }
}

void RowAudit::Check(std::size_t row, std::size_t outcome, AuditRecord* record) const {
  const Claim& claim = claims_[claim_of_[outcome][row]];
  const bool is_partial = of_.use.view->definition.partial_updates;
  const std::string feature = is_partial ? of_.use.view->stored[outcome].name : std::string();
  Contribution what;
  if (!source_.event_time.empty()) {
    what.event_us = InstantAt(&of_.claims.outcomes[outcome].event_time, row, Contribution::kNone);
  }
  if (!claim.is_found) {
    record->Contribute(row, what);
    record->Note(LeakKind::kUntraced, row, what, feature);
    return;
  }
  what.known_us = claim.known_us;
  record->Contribute(row, what);
  bool is_own = false;
  if (of_.own_ids != nullptr && of_.own_ids->IsValid(row) && !claim.has_other_ids) {
    std::string own;
    AppendKeyPart(*of_.own_ids, row, &own);
    is_own = own == claim.id;
  }
  const Timestamp at = of_.TimeOf(row);
  const HashWords instant = HashOfInstant(
      keys_.views()[row],
      source_.event_time.empty() ? nullptr : &of_.claims.outcomes[outcome].event_time, row);
  const bool replaced_known = first_known_.at(instant) <= at.us;
  record->CheckTimes(row, what, is_own, replaced_known, feature);
  const Duration ttl = of_.use.view->definition.ttl.value_or(Duration{});
  const bool is_old = ttl.us > 0 && what.event_us != Contribution::kNone &&
                      Timestamp{what.event_us} < at.Minus(ttl);
  if (is_old || claim.ends_us <= of_.use.LastVisible(at).us)
    record->Note(LeakKind::kTtl, row, what, feature);
}

AuditedView RowAudit::Finish() && {
  AuditRecord record(of_);
  int64_t checked = 0;
  for (std::size_t row = 0; row < of_.times.size(); ++row) {
    bool has_value = false;
    for (std::size_t o = 0; o < claim_of_.size(); ++o) {
      if (claim_of_[o][row] == kNoClaim) continue;
      has_value = true;
      Check(row, o, &record);
    }
    checked += has_value ? 1 : 0;
  }
  return std::move(record).Take(checked);
}

}  // namespace larder::inline LARDER_ABI
