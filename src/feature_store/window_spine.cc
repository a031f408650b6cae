#include "feature_store/window_spine.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kRowsTogether = 64;
constexpr std::size_t kKeysTogether = 1024;
constexpr uint32_t kNoKey = std::numeric_limits<uint32_t>::max();

// Some rows' keys, read together so that the table's memory is there when it is looked into.
struct KeyBlock {
  std::array<KeyState, kRowsTogether> states;
  std::array<uint64_t, kRowsTogether> words;
  std::array<std::string, kRowsTogether> bytes;

  void Read(const KeyReader& reader, const KeyTable& table, std::size_t begin, std::size_t end) {
    const Column* const raw = reader.raw_words();
    if (raw != nullptr && raw->type().byte_width() == sizeof(uint64_t)) {
      const uint64_t* const values = raw->Values<uint64_t>().data() + begin;
      for (std::size_t i = 0; i < end - begin; ++i) {
        states[i] = raw->IsValid(begin + i) ? KeyState::kUsable : KeyState::kNull;
        words[i] = values[i];
        table.Fetch(words[i]);
      }
      return;
    }
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
  key_rows_.assign(keys_.size() + 1, {});
  for (const uint32_t key : key_of) {
    if (key != kNoKey) ++key_rows_[key + 1].begin;
  }
  for (std::size_t key = 0; key < keys_.size(); ++key)
    key_rows_[key + 1].begin += key_rows_[key].begin;
  struct SpineRow {
    int64_t instant;
    uint32_t number;
    bool operator<(const SpineRow& other) const {
      return instant != other.instant ? instant < other.instant : number < other.number;
    }
  };
  std::vector<SpineRow> rows(key_rows_.back().begin);
  std::vector<std::size_t> next;
  for (const KeyRows& of_key : key_rows_) next.push_back(of_key.begin);
  for (std::size_t row = 0; row < count; ++row) {
    const auto number = static_cast<uint32_t>(row);
    if (key_of[row] != kNoKey) rows[next[key_of[row]]++] = {InstantOf(number).us, number};
  }
  rows_.resize(rows.size());
  instants_.resize(rows.size());
  SetParts();
  const std::size_t pieces = (keys_.size() + kKeysTogether - 1) / kKeysTogether;
  RunPieces(thread_count, pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t keys_end = std::min((piece + 1) * kKeysTogether, keys_.size());
    for (std::size_t key = piece * kKeysTogether; key < keys_end; ++key) {
      const std::size_t begin = key_rows_[key].begin;
      const std::size_t end = key_rows_[key + 1].begin;
      std::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                rows.begin() + static_cast<std::ptrdiff_t>(end));
      for (std::size_t i = begin; i < end; ++i) {
        rows_[i] = rows[i].number;
        instants_[i] = rows[i].instant;
        key_rows_[key].seen |= PartsSeenBy(rows[i].instant);
      }
    }
  });
  return absl::OkStatus();
}

void WindowSpine::SetParts() {
  const std::span<const int64_t> instants = times_->Values<int64_t>();
  if (instants.empty()) return;
  const auto [first, last] = std::minmax_element(instants.begin(), instants.end());
  parts_from_us_ = Timestamp{*first}.Minus(reach_.value_or(delay_)).us;
  const uint64_t span = static_cast<uint64_t>(Timestamp{*last}.Minus(delay_).us) -
                        static_cast<uint64_t>(parts_from_us_);
  while (part_shift_ < 63 && (span >> part_shift_) >= kParts) ++part_shift_;
}

uint64_t WindowSpine::PartsSeenBy(int64_t instant_us) const {
  const Timestamp instant{instant_us};
  const unsigned first = reach_ ? PartOf(instant.Minus(*reach_).us) : 0;
  const unsigned last = PartOf(instant.Minus(delay_).us);
  return (~uint64_t{0} << first) & (~uint64_t{0} >> (kParts - 1 - last));
}

bool WindowSpine::IsSeen(std::size_t key, int64_t time_us) const {
  const int64_t from = Timestamp{time_us}.Plus(delay_).us;
  const auto end = instants_.begin() + static_cast<std::ptrdiff_t>(key_rows_[key + 1].begin);
  const auto first = std::lower_bound(
      instants_.begin() + static_cast<std::ptrdiff_t>(key_rows_[key].begin), end, from);
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
      __builtin_prefetch(&key_rows_[*key]);
      found[count++] = {*key, static_cast<uint32_t>(row)};
    }
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!MayBeSeen(found[i].key, windows.TimeOf(found[i].row))) continue;
      __builtin_prefetch(&instants_[key_rows_[found[i].key].begin]);
      found[left++] = found[i];
    }
    for (std::size_t i = 0; i < left; ++i) {
      if (IsSeen(found[i].key, windows.TimeOf(found[i].row))) matched.seen.push_back(found[i]);
    }
  }
  return matched;
}

}  // namespace larder::inline LARDER_ABI
