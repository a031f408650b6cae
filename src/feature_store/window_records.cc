#include "feature_store/window_records.h"

#include <algorithm>
#include <cstring>

#include "feature_store/tables.h"
#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint8_t kForm = 5;
constexpr uint8_t kFormWithoutWaitingIds = 4;
constexpr uint8_t kFormWithoutTails = 3;
constexpr std::size_t kTrailerSize = 17;

absl::Status Damaged() {
  return WithKind(DataLossError("damaged window record"), ErrorKind::kCorrupt);
}

absl::Status CheckForm(uint8_t form) {
  if (form >= kFormWithoutTails && form <= kForm) return absl::OkStatus();
  if (form == 0) return Damaged();
  if (form > kForm) {
    return WithKind(
        FailedPreconditionError("the view's aggregates were kept by a newer larder (form ",
                                int{form}, ", this build reads ", int{kForm}, ")"),
        ErrorKind::kVersion);
  }
  return WithKind(FailedPreconditionError(
                      "the view's aggregates were kept by an earlier larder (form ", int{form},
                      ", expected ", int{kForm}, "): make the store anew and load it again"),
                  ErrorKind::kVersion);
}

void PutRoot(const TreeRoot& root, ByteWriter* out) {
  out->Put(root.id);
  out->Put(root.height);
  out->Put(root.event_count);
}

TreeRoot GetRoot(ByteReader* in) {
  TreeRoot root;
  root.id = in->Get<uint64_t>();
  root.height = in->Get<uint32_t>();
  root.event_count = in->Get<uint64_t>();
  return root;
}

void PutPart(const WindowKey::Part& part, ByteWriter* out) {
  out->Put(static_cast<uint8_t>((part.counts ? 1 : 0) | (part.is_null ? 2 : 0) |
                                (part.is_word ? 4 : 0)));
  if (!part.counts) return;
  out->PutText(part.category);
  out->Put(part.word);
  out->PutText(part.bytes);
}

WindowKey::Part GetPart(ByteReader* in) {
  WindowKey::Part part;
  const auto flags = in->Get<uint8_t>();
  part.counts = (flags & 1U) != 0;
  part.is_null = (flags & 2U) != 0;
  part.is_word = (flags & 4U) != 0;
  if (!part.counts) return part;
  part.category = in->GetText();
  part.word = in->Get<uint64_t>();
  part.bytes = in->GetText();
  return part;
}

uint8_t FlagsOf(const EventVersion& version) {
  return static_cast<uint8_t>((version.has_sequence ? 1U : 0U) | (version.is_delete ? 2U : 0U) |
                              (version.from_batch ? 4U : 0U) | (version.in_order ? 8U : 0U));
}

void SetFlags(uint8_t flags, EventVersion* version) {
  version->has_sequence = (flags & 1U) != 0;
  version->is_delete = (flags & 2U) != 0;
  version->from_batch = (flags & 4U) != 0;
  version->in_order = (flags & 8U) != 0;
}

// All but the flags.
void PutVersion(const EventVersion& version, ByteWriter* out) {
  out->Put(version.time_us);
  out->Put(version.sequence);
  out->Put(version.known_us);
  out->Put(version.arrival_us);
  out->Put(version.source);
  out->Put(version.rank);
  out->PutText(version.row);
}

void GetVersion(ByteReader* in, EventVersion* version) {
  version->time_us = in->Get<int64_t>();
  version->sequence = in->Get<uint64_t>();
  version->known_us = in->Get<int64_t>();
  version->arrival_us = in->Get<int64_t>();
  version->source = in->Get<uint8_t>();
  version->rank = in->Get<uint64_t>();
  version->row = in->GetText();
}

void PutId(const WindowId& id, ByteWriter* out) {
  out->Put(id.state);
  out->Put(FlagsOf(id));
  PutVersion(id, out);
}

bool GetId(ByteReader* in, WindowId* id) {
  id->state = in->Get<WindowId::State>();
  SetFlags(in->Get<uint8_t>(), id);
  GetVersion(in, id);
  return in->ok() && id->state <= WindowId::State::kDeleted;
}

}  // namespace

std::string WindowRecord::Serialize() const {
  ByteWriter out;
  out.Put(kForm);
  out.Put(next_page);
  for (const int64_t at : {first_write_us, dropped_before_us, as_of_floor_us, known_floor_us})
    out.Put(at);
  out.Put(static_cast<uint8_t>(ids_by_key));
  return std::move(out).Take();
}

absl::StatusOr<WindowRecord> WindowRecord::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  WindowRecord record;
  const auto form = in.Get<uint8_t>();
  LARDER_RETURN_IF_ERROR(CheckForm(form));
  record.next_page = in.Get<uint64_t>();
  for (int64_t* at : {&record.first_write_us, &record.dropped_before_us, &record.as_of_floor_us,
                      &record.known_floor_us})
    *at = in.Get<int64_t>();
  record.ids_by_key = form > kFormWithoutWaitingIds && in.Get<uint8_t>() != 0;
  if (!in.ok()) return Damaged();
  return record;
}

bool EventVersion::IsSame(const EventVersion& other) const {
  return has_sequence == other.has_sequence && is_delete == other.is_delete &&
         time_us == other.time_us && sequence == other.sequence && arrival_us == other.arrival_us &&
         row == other.row;
}

HistoryEvent EventVersion::Place() const {
  HistoryEvent made;
  made.known_us = known_us;
  made.arrival_us = arrival_us;
  made.rank = in_order ? rank : 0;
  made.is_delete = is_delete;
  made.event.order = {time_us, has_sequence, sequence, {}, row};
  return made;
}

HistoryEvent WindowKey::Version::In(std::size_t stream) const {
  HistoryEvent made = Place();
  made.event.order.event_id = id;
  const Part& part = parts[stream];
  made.counts = part.counts;
  made.event.input.is_null = part.is_null;
  made.event.input.word = part.word;
  if (!part.is_word)
    made.event.input.bytes = std::string_view(part.bytes.data(), part.bytes.size());
  return made;
}

const WindowId* WindowKeyIds::Find(std::string_view id) const {
  for (const Waiting& one : waiting) {
    if (one.id == id) return &one.value;
  }
  return nullptr;
}

const WindowKey::Tree* WindowKey::Find(std::size_t stream, std::string_view category) const {
  const std::vector<Tree>& trees = streams[stream];
  const auto at = std::lower_bound(
      trees.begin(), trees.end(), category,
      [](const Tree& tree, std::string_view wanted) { return tree.category < wanted; });
  return at != trees.end() && at->category == category ? &*at : nullptr;
}

std::string WindowKey::Serialize() const {
  ByteWriter out;
  out.Put(kForm);
  out.Put(oldest_us);
  for (const std::vector<Tree>& trees : streams) {
    out.Put(static_cast<uint32_t>(trees.size()));
    for (const Tree& tree : trees) {
      out.PutText(tree.category);
      PutRoot(tree.root, &out);
      out.PutText(tree.tail);
    }
  }
  out.Put(static_cast<uint32_t>(versions.size()));
  for (const Version& version : versions) {
    out.Put(FlagsOf(version));
    out.PutText(version.id);
    PutVersion(version, &out);
    for (const Part& part : version.parts) PutPart(part, &out);
  }
  ids.recorded.Put(&out);
  out.Put(static_cast<uint8_t>(ids.waiting.size()));
  for (const WindowKeyIds::Waiting& waiting : ids.waiting) {
    out.PutText(waiting.id);
    PutId(waiting.value, &out);
  }
  return std::move(out).Take();
}

absl::StatusOr<WindowKey> WindowKey::Parse(std::string_view bytes, std::size_t stream_count) {
  WindowKey key;
  LARDER_RETURN_IF_ERROR(key.Read(bytes, stream_count, true));
  return key;
}

void WindowKey::Clear(std::size_t stream_count) {
  oldest_us = WindowKey().oldest_us;
  streams.resize(stream_count);
  for (std::vector<Tree>& trees : streams) trees.clear();
  versions.clear();
  ids = {};
}

absl::Status WindowKey::Read(std::string_view bytes, std::size_t stream_count, bool wants_ids) {
  ByteReader in(bytes);
  const auto form = in.Get<uint8_t>();
  LARDER_RETURN_IF_ERROR(CheckForm(form));
  oldest_us = in.Get<int64_t>();
  versions.clear();
  streams.resize(stream_count);
  for (std::vector<Tree>& trees : streams) {
    const auto count = in.Get<uint32_t>();
    std::size_t used = 0;
    for (; in.ok() && used < count; ++used) {
      Tree& tree = used < trees.size() ? trees[used] : trees.emplace_back();
      tree.category = in.GetText();
      tree.root = GetRoot(&in);
      tree.tail = form == kFormWithoutTails ? std::string_view() : in.GetText();
    }
    trees.resize(used);
  }
  const auto count = in.Get<uint32_t>();
  for (uint32_t i = 0; in.ok() && i < count; ++i) {
    Version& version = versions.emplace_back();
    SetFlags(in.Get<uint8_t>(), &version);
    version.id = in.GetText();
    GetVersion(&in, &version);
    for (std::size_t s = 0; s < stream_count; ++s) version.parts.push_back(GetPart(&in));
  }
  if (!in.ok()) return Damaged();
  ids.waiting.clear();
  if (form <= kFormWithoutWaitingIds) {
    ids.recorded = WindowIdFilter::OfAny();
  } else if (wants_ids) {
    if (!ids.recorded.Get(&in)) return Damaged();
    for (auto waiting = in.Get<uint8_t>(); in.ok() && waiting > 0; --waiting) {
      WindowKeyIds::Waiting& one = ids.waiting.emplace_back();
      one.id = in.GetText();
      if (!GetId(&in, &one.value)) return Damaged();
    }
  } else {
    return absl::OkStatus();
  }
  if (!in.ok() || in.remaining() != 0) return Damaged();
  return absl::OkStatus();
}

std::string WindowId::Serialize() const {
  ByteWriter out;
  out.Put(kForm);
  PutId(*this, &out);
  return std::move(out).Take();
}

absl::StatusOr<WindowId> WindowId::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  WindowId id;
  LARDER_RETURN_IF_ERROR(CheckForm(in.Get<uint8_t>()));
  if (!GetId(&in, &id)) return Damaged();
  return id;
}

std::string WindowPrefix(uint32_t data_id) { return BigEndianKey(data_id).substr(4); }

std::string WindowKeyName(uint32_t data_id, std::string_view entity_key) {
  return WindowPrefix(data_id).append(entity_key);
}

std::string WindowPageName(uint32_t data_id, NodeId page) {
  return WindowPrefix(data_id) + BigEndianKey(page);
}

void AppendEscaped(std::string_view bytes, std::string* out) {
  for (;;) {
    const std::size_t zero = bytes.find('\0');
    out->append(bytes.substr(0, zero));
    out->push_back('\0');
    if (zero == std::string_view::npos) break;
    out->push_back('\1');
    bytes.remove_prefix(zero + 1);
  }
  out->push_back('\0');
}

WindowTrailer TrailerFor(const EventVersion& version) {
  return {version.known_us, version.rank, version.from_batch, version.source};
}

void AppendTrailer(const WindowTrailer& trailer, std::string* row) {
  row->append(reinterpret_cast<const char*>(&trailer.known_us), sizeof(trailer.known_us));
  row->append(reinterpret_cast<const char*>(&trailer.rank), sizeof(trailer.rank));
  row->push_back(static_cast<char>((trailer.from_batch ? 1U : 0U) | trailer.source * 2U));
}

WindowTrailer TrailerOf(std::string_view row) {
  WindowTrailer trailer;
  if (row.size() < kTrailerSize) return trailer;
  const char* const at = row.data() + row.size() - kTrailerSize;
  trailer.known_us = LoadAs<int64_t>(at);
  trailer.rank = LoadAs<uint64_t>(at + sizeof(trailer.known_us));
  const auto last = static_cast<uint8_t>(row.back());
  trailer.from_batch = (last & 1U) != 0;
  trailer.source = static_cast<uint8_t>(last / 2U);
  return trailer;
}

}  // namespace larder::inline LARDER_ABI
