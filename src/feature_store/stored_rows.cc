#include "feature_store/stored_rows.h"

#include <algorithm>
#include <utility>

#include "feature_store/key_encoding.h"
#include "larder/online/earlier_commit.h"

namespace larder::inline LARDER_ABI {
namespace {

void AppendStored(const RowView& row, std::size_t i, Column* column) {
  if (!row.IsValid(i)) {
    column->AppendNull();
  } else if (column->type().is_fixed_width()) {
    column->AppendRaw(row.payload() + row.layout().offset(i), row.layout().width(i));
  } else if (column->type().is_text()) {
    column->AppendText(row.Text(i));
  } else {
    (void)column->Append(row.ValueAt(i));  // of the column's own type
  }
}

// Reads one use's rows out of a snapshot.
class OnlineFetch {
 public:
  OnlineFetch(const ReadSession& session, const BoundUse& use, Timestamp as_of,
              std::optional<Timestamp> known_at, std::optional<uint64_t> commit_max)
      : session_(session), use_(use), as_of_(as_of), known_at_(known_at), commit_max_(commit_max) {
    for (const StoredColumn& stored : use.view->stored)
      result_.rows.features.emplace_back(stored.type);
    result_.stale.resize(use.view->stored.size());
    result_.rows.outcomes.resize(partial() ? std::max<std::size_t>(1, use.view->stored.size()) : 1);
  }

  absl::StatusOr<FetchedUse> Run(std::span<const Column* const> key_columns, std::size_t rows) && {
    const EncodedKeys keys(key_columns, rows);
    PartialRow partial_row;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::string_view key = keys.views()[row];
      if (partial()) {
        if (key.data() != nullptr) {
          LARDER_RETURN_IF_ERROR(FindPartial(key, &partial_row));
        }
        for (std::size_t i = 0; i < result_.rows.features.size(); ++i) {
          Append(row, i, i + 1, key.data() == nullptr ? std::nullopt : partial_row.RowOf(i),
                 &result_.rows.outcomes[i]);
        }
        continue;
      }
      std::optional<RowView> found;
      if (key.data() != nullptr) {
        LARDER_ASSIGN_OR_RETURN(found, Find(key));
      }
      Append(row, 0, result_.rows.features.size(), found, &result_.rows.outcomes[0]);
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool partial() const { return use_.view->definition.partial_updates; }

  [[nodiscard]] absl::StatusOr<std::optional<RowView>> Find(std::string_view key) const {
    const uint32_t data_id = use_.view->data_id;
    const Timestamp last_visible = use_.LastVisible(as_of_);
    return commit_max_ ? FindRowOfCommit(session_, data_id, use_.layout, key, last_visible,
                                         known_at_, *commit_max_)
                       : session_.FindRow(data_id, use_.layout, key, last_visible, known_at_);
  }
  absl::Status FindPartial(std::string_view key, PartialRow* out) const {
    const uint32_t data_id = use_.view->data_id;
    const Timestamp last_visible = use_.LastVisible(as_of_);
    return commit_max_
               ? FindPartialRowOfCommit(session_, data_id, use_.layout, key, last_visible,
                                        known_at_, *commit_max_, out)
               : session_.FindPartialRow(data_id, use_.layout, key, last_visible, known_at_, out);
  }

  // Stored columns [begin, end) of one row, which share a status and a time.
  void Append(std::size_t row, std::size_t begin, std::size_t end,
              const std::optional<RowView>& found, JoinOutcome* outcome) {
    const FeatureStatus status = StatusOf(found);
    outcome->status.push_back(status);
    if (found.has_value() && !found->is_timeless()) {
      outcome->event_time.AppendFixed(found->event_time().us);
    } else {
      outcome->event_time.AppendNull();
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (status == FeatureStatus::kPresent) {
        AppendStored(*found, i, &result_.rows.features[i]);
      } else {
        result_.rows.features[i].AppendNull();
        if (status == FeatureStatus::kOutsideMaxAge) result_.stale[i][row] = found->ValueAt(i);
      }
    }
  }

  [[nodiscard]] FeatureStatus StatusOf(const std::optional<RowView>& found) const {
    if (!found.has_value()) return FeatureStatus::kNotFound;
    const Duration ttl = use_.view->definition.ttl.value_or(Duration{});
    if (ttl.us > 0 && !found->is_timeless() && found->event_time() < as_of_.Minus(ttl)) {
      return FeatureStatus::kOutsideMaxAge;
    }
    return FeatureStatus::kPresent;
  }

  const ReadSession& session_;
  const BoundUse& use_;
  const Timestamp as_of_;
  const std::optional<Timestamp> known_at_;
  const std::optional<uint64_t> commit_max_;
  FetchedUse result_;
};

}  // namespace

absl::StatusOr<FetchedUse> FetchStored(const ReadSession& session, const BoundUse& use,
                                       Timestamp as_of, std::optional<Timestamp> known_at,
                                       std::span<const Column* const> key_columns, std::size_t rows,
                                       std::optional<uint64_t> commit_max) {
  return OnlineFetch(session, use, as_of, known_at, commit_max).Run(key_columns, rows);
}

}  // namespace larder::inline LARDER_ABI
