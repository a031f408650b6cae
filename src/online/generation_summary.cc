#include "online/generation_summary.h"

#include <cmath>

#include "larder/online/row_view.h"
#include "online/segment.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {
namespace {

bool IsDelete(const char* row) { return (FlagsOfRow(row) & kRowDelete) != 0; }

template <class T>
void Widen(T value, FeatureSummary* summary) {
  if (summary->min.is_null() || value < *summary->min.As<T>()) summary->min = Value(value);
  if (summary->max.is_null() || *summary->max.As<T>() < value) summary->max = Value(value);
}

template <class T>
void WidenNumber(T value, FeatureSummary* summary) {
  if (!std::isnan(value)) Widen(value, summary);
}

void AddValue(const RowView& row, std::size_t i, FeatureSummary* summary) {
  switch (row.layout().type(i).id()) {
    case TypeId::kInt32:
      return Widen(row.Get<int32_t>(i), summary);
    case TypeId::kInt64:
      return Widen(row.Get<int64_t>(i), summary);
    case TypeId::kUint64:
      return Widen(row.Get<uint64_t>(i), summary);
    case TypeId::kFloat32:
      return WidenNumber(row.Get<float>(i), summary);
    case TypeId::kFloat64:
      return WidenNumber(row.Get<double>(i), summary);
    case TypeId::kTimestamp:
      return Widen(Timestamp{row.Get<int64_t>(i)}, summary);
    case TypeId::kDuration:
      return Widen(Duration{row.Get<int64_t>(i)}, summary);
    case TypeId::kDate:
      return Widen(Date{row.Get<int32_t>(i)}, summary);
    default:
      return;
  }
}

}  // namespace

SummaryScan::SummaryScan(const RowLayout& layout) : layout_(layout) {
  summary_.features.resize(layout.size());
}

absl::Status SummaryScan::Add(std::string_view bytes) {
  LARDER_ASSIGN_OR_RETURN(const SegmentView segment, SegmentView::Open(bytes, nullptr, false));
  RowArena arena;
  return segment.ForEachKey([&](const char* row) -> absl::Status {
    if (IsDelete(row)) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(
        const RowView view,
        RowView::Parse(segment.LooseRow(row, &arena), layout_, segment.header().commit_seq));
    ++summary_.keys;
    for (std::size_t i = 0; i < layout_.size(); ++i) {
      if (view.IsValid(i)) {
        AddValue(view, i, &summary_.features[i]);
      } else {
        ++summary_.features[i].nulls;
      }
    }
    return absl::OkStatus();
  });
}

absl::Status SummaryScan::AddBefore(std::string_view bytes) {
  LARDER_ASSIGN_OR_RETURN(const SegmentView segment, SegmentView::Open(bytes, nullptr, false));
  return segment.ForEachKey([&](const char* row) {
    if (!IsDelete(row)) ++summary_.keys_before;
    return absl::OkStatus();
  });
}

}  // namespace larder::inline LARDER_ABI
