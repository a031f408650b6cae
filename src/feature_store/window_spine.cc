#include "feature_store/window_spine.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "training/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kRowsTogether = 32;
constexpr std::size_t kKeysTogether = 1024;
constexpr uint32_t kNoKey = std::numeric_limits<uint32_t>::max();

// Some rows' keys, read together so that the table's memory is there when it is looked into.
struct KeyBlock {
  std::array<KeyState, kRowsTogether> states;
  std::array<uint64_t, kRowsTogether> words;
  std::array<std::string, kRowsTogether> bytes;

  void Read(const KeyReader& reader, const KeyTable& table, std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < end - begin; ++i) {
      states[i] = reader.Read(begin + i, &words[i], &bytes[i]);
      if (states[i] == KeyState::kUsable) table.Fetch(words[i]);
    }
  }
};

}  // namespace

absl::StatusOr<WindowSpine> WindowSpine::Make(const WindowPlan& plan, const Column& times,
                                              const JoinView& join, int thread_count) {
  LARDER_ASSIGN_OR_RETURN(const KeyReader reader, KeyReader::Make(join.spine_keys, join.key_types));
  WindowSpine spine(times, reader.form());
  spine.reach_ = plan.reach();
  spine.delay_ = Duration{std::numeric_limits<int64_t>::max()};
  for (const WindowFeature& feature : plan.features())
    spine.delay_ = std::min(spine.delay_, feature.window.delay);
  LARDER_RETURN_IF_ERROR(spine.Index(reader, thread_count));
  return spine;
}

absl::Status WindowSpine::Index(const KeyReader& reader, int thread_count) {
  const std::size_t count = row_count();
  std::vector<uint32_t> key_of(count, kNoKey);
  KeyBlock block;
  for (std::size_t begin = 0; begin < count; begin += kRowsTogether) {
    const std::size_t end = std::min(begin + kRowsTogether, count);
    block.Read(reader, keys_, begin, end);
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t i = row - begin;
      if (block.states[i] == KeyState::kNull) continue;
      if (block.states[i] == KeyState::kBad)
        return Annotate(reader.Explain(row), Concat("spine row ", row, ", join key"));
      key_of[row] = keys_.Insert(block.words[i], block.bytes[i]);
    }
  }
  key_begin_.assign(keys_.size() + 1, 0);
  for (const uint32_t key : key_of) {
    if (key != kNoKey) ++key_begin_[key + 1];
  }
  for (std::size_t key = 0; key < keys_.size(); ++key) key_begin_[key + 1] += key_begin_[key];
  struct SpineRow {
    int64_t instant;
    uint32_t number;
    bool operator<(const SpineRow& other) const {
      return instant != other.instant ? instant < other.instant : number < other.number;
    }
  };
  std::vector<SpineRow> rows(key_begin_.back());
  std::vector<std::size_t> next(key_begin_.begin(), key_begin_.end() - 1);
  for (std::size_t row = 0; row < count; ++row) {
    const auto number = static_cast<uint32_t>(row);
    if (key_of[row] != kNoKey) rows[next[key_of[row]]++] = {InstantOf(number).us, number};
  }
  rows_.resize(rows.size());
  instants_.resize(rows.size());
  const std::size_t pieces = (keys_.size() + kKeysTogether - 1) / kKeysTogether;
  RunPieces(thread_count, pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t keys_end = std::min((piece + 1) * kKeysTogether, keys_.size());
    for (std::size_t key = piece * kKeysTogether; key < keys_end; ++key) {
      std::sort(rows.begin() + static_cast<std::ptrdiff_t>(key_begin_[key]),
                rows.begin() + static_cast<std::ptrdiff_t>(key_begin_[key + 1]));
      for (std::size_t i = key_begin_[key]; i < key_begin_[key + 1]; ++i) {
        rows_[i] = rows[i].number;
        instants_[i] = rows[i].instant;
      }
    }
  });
  return absl::OkStatus();
}

bool WindowSpine::IsSeen(std::size_t key, int64_t time_us) const {
  const int64_t from = Timestamp{time_us}.Plus(delay_).us;
  const auto end = instants_.begin() + static_cast<std::ptrdiff_t>(key_begin_[key + 1]);
  const auto first =
      std::lower_bound(instants_.begin() + static_cast<std::ptrdiff_t>(key_begin_[key]), end, from);
  return first != end && (!reach_ || *first <= Timestamp{time_us}.Plus(*reach_).us);
}

WindowSpine::Matched WindowSpine::Match(const MappedEvents& events, const WindowEvents& windows,
                                        const KeyReader& keys, std::size_t begin,
                                        std::size_t end) const {
  Matched matched;
  KeyBlock block;
  std::array<Seen, kRowsTogether> found;
  for (std::size_t at = begin; at < end; at += kRowsTogether) {
    const std::size_t until = std::min(at + kRowsTogether, end);
    block.Read(keys, keys_, at, until);
    std::size_t count = 0;
    for (std::size_t row = at; row < until; ++row) {
      const std::size_t i = row - at;
      matched.null_key += block.states[i] == KeyState::kNull ? 1 : 0;
      matched.bad_key += block.states[i] == KeyState::kBad ? 1 : 0;
      if (block.states[i] != KeyState::kUsable) continue;
      if (!events.event_time->IsValid(row)) {
        ++matched.null_time;
        continue;
      }
      if (events.arrival_time != nullptr && !events.arrival_time->IsValid(row))
        ++matched.null_arrival;
      const std::optional<uint32_t> key = keys_.Find(block.words[i], block.bytes[i]);
      if (!key) continue;
      if (windows.IsDelete(row) && !windows.HasId(row) && !matched.nameless_delete)
        matched.nameless_delete = static_cast<uint32_t>(row);
      __builtin_prefetch(&instants_[key_begin_[*key]]);
      found[count++] = {*key, static_cast<uint32_t>(row)};
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (IsSeen(found[i].key, windows.TimeOf(found[i].row))) matched.seen.push_back(found[i]);
    }
  }
  return matched;
}

}  // namespace larder::inline LARDER_ABI
