// The ids of one key, while its events are changed.
#include "feature_store/window_key_edit.h"

namespace larder::inline LARDER_ABI {
namespace {

// As many as a tail has events, so that what brings no page brings no record of an id either.
constexpr std::size_t kWaitingIdsMax = 8;
constexpr std::size_t kWaitingIdsSizeMax = 1024;  // the ids themselves

}  // namespace

WindowIdName WindowKeyEdit::NameOf(std::string_view id) const {
  return {edit_.data_id, edit_.record->ids_by_key, entity_key_, id};
}

absl::StatusOr<FoundWindowId> WindowKeyEdit::FindId(std::string_view id) const {
  return FindWindowId(*edit_.transaction, edit_.data_id, *edit_.record, entity_key_, state_.ids, id);
}

absl::Status WindowKeyEdit::PutId(std::string_view id, const WindowId& value, bool has_record) {
  if (has_record)
    return edit_.transaction->PutRecord(kWindowIdTable, NameOf(id).name, value.Serialize());
  if (WindowId* const waiting = state_.ids.Find(id)) {
    *waiting = value;
    return absl::OkStatus();
  }
  state_.ids.waiting.push_back({std::string(id), value});
  std::size_t size = 0;
  for (const WindowKeyIds::Waiting& one : state_.ids.waiting) size += one.id.size();
  return state_.ids.waiting.size() > kWaitingIdsMax || size > kWaitingIdsSizeMax
             ? RecordWaitingIds()
             : absl::OkStatus();
}

absl::Status WindowKeyEdit::RecordWaitingIds() {
  WindowKeyIds& ids = state_.ids;
  for (const WindowKeyIds::Waiting& one : ids.waiting) {
    const WindowIdName name = NameOf(one.id);
    ids.recorded.Add(name.hash);
    LARDER_RETURN_IF_ERROR(
        edit_.transaction->PutRecord(kWindowIdTable, name.name, one.value.Serialize()));
  }
  ids.waiting.clear();
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::EraseId(std::string_view id) {
  const auto has_id = [&](const WindowKeyIds::Waiting& one) { return one.id == id; };
  if (std::erase_if(state_.ids.waiting, has_id) > 0) return absl::OkStatus();
  return edit_.transaction->DeleteRecord(kWindowIdTable, NameOf(id).name).status();
}

bool WindowKeyEdit::RemoveWaitingIds(const std::function<bool(const WindowId& id)>& is_gone,
                                     std::vector<WindowId>* removed) {
  return std::erase_if(state_.ids.waiting, [&](const WindowKeyIds::Waiting& one) {
           if (one.value.state == WindowId::State::kListed || !is_gone(one.value)) return false;
           removed->push_back(one.value);
           return true;
         }) > 0;
}

}  // namespace larder::inline LARDER_ABI
