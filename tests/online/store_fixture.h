// A store in a directory of its own, and short words for writing and reading rows of one view.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/column/column.h"
#include "larder/online/environment.h"
#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/verify.h"
#include "larder/online/write_transaction.h"
#include "larder/schema/entity_key.h"
#include "support/catch.h"

namespace larder_test {

class TemporaryDirectory {
 public:
  // In memory where there is such a place, unless the case is about the disk.
  explicit TemporaryDirectory(bool on_disk = false) {
    const bool in_memory = !on_disk && access("/dev/shm", W_OK) == 0;
    const std::filesystem::path parent =
        in_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "larder-online-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    if (owner_ != getpid()) return;  // a forked child leaves it to its parent
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  pid_t owner_ = getpid();
};

// A clock the test moves.
struct FakeClock {
  std::shared_ptr<int64_t> now = std::make_shared<int64_t>(1'000'000'000);
  [[nodiscard]] std::function<larder::Timestamp()> AsFunction() const {
    return [now = now] { return larder::Timestamp{*now}; };
  }
};

inline larder::EnvironmentOptions WritableOptions(const FakeClock& clock = {}) {
  larder::EnvironmentOptions options;
  options.create_if_missing = true;
  options.clock = clock.AsFunction();
  // Whole-machine durability is tested where it matters; the rest need not wait for the disk twice.
  options.durability = larder::Durability::kRelaxed;
  return options;
}

inline std::shared_ptr<larder::Environment> OpenOrFail(const std::string& path,
                                                       const larder::EnvironmentOptions& options) {
  auto environment = larder::Environment::Open(path, options);
  INFO(environment.status());
  REQUIRE(environment.ok());
  return *environment;
}

inline std::string IntKey(int64_t id) {
  std::string key;
  larder::AppendKeyInteger(id, &key);
  return key;
}

inline larder::RowLayout LayoutOf(const std::vector<larder::DataType>& types) {
  auto layout = larder::RowLayout::Make(types);
  REQUIRE(layout.ok());
  return *std::move(layout);
}

// One event of a view with an int64 and a string feature.
struct Event {
  std::string key = IntKey(1);
  std::optional<int64_t> event_time = 0;
  std::optional<int64_t> number;
  std::optional<std::string> text;
  std::optional<int64_t> arrival = std::nullopt;
  std::optional<int64_t> sequence = std::nullopt;
  std::optional<int64_t> valid_to = std::nullopt;
  bool is_delete = false;
  bool has_number = true;  // with partial updates
  bool has_text = true;
};

// How the source of a view is declared.
struct Shape {
  bool timeless = false;
  bool has_arrival = false;
  bool has_sequence = false;
  bool partial = false;
  bool is_push = false;
  std::optional<larder::Duration> available_after = std::nullopt;
  larder::TieOrder tie_order = larder::TieOrder::kCanonicalBytes;
  larder::Duration horizon = larder::Duration::Hours(1);
  std::optional<larder::Timestamp> reference = std::nullopt;
};

inline const std::vector<larder::DataType> kEventTypes = {larder::TypeId::kInt64,
                                                          larder::TypeId::kString};

// Calls `use` with the events as rows to write, which last as long as the call.
template <class Use>
auto WithRows(uint32_t view, const larder::RowLayout& layout, const std::vector<Event>& events,
              const Shape& shape, const Use& use) {
  using larder::Column;
  using larder::TypeId;
  Column number(TypeId::kInt64), text(TypeId::kString), event_time(TypeId::kTimestamp);
  Column arrival(TypeId::kTimestamp), sequence(TypeId::kInt64), valid_to(TypeId::kTimestamp),
      is_delete(TypeId::kBool);
  larder::Validity has_number, has_text;
  std::vector<std::string_view> keys;
  const auto append = [](Column* column, const std::optional<int64_t>& value) {
    if (value) {
      column->AppendFixed(*value);
    } else {
      column->AppendNull();
    }
  };
  for (const Event& event : events) {
    keys.push_back(event.key == "null" ? std::string_view() : std::string_view(event.key));
    append(&number, event.number);
    append(&event_time, event.event_time);
    append(&arrival, event.arrival);
    append(&sequence, event.sequence);
    append(&valid_to, event.valid_to);
    is_delete.AppendFixed(static_cast<uint8_t>(event.is_delete ? 1 : 0));
    if (event.text) {
      text.AppendText(*event.text);
    } else {
      text.AppendNull();
    }
    has_number.Append(event.has_number);
    has_text.Append(event.has_text);
  }
  const Column* columns[] = {&number, &text};
  const larder::Validity* presence[] = {&has_number, &has_text};
  larder::RowsToWrite rows;
  rows.view_id = view;
  rows.layout = &layout;
  rows.keys = keys;
  rows.columns = std::span(columns).first(layout.size());  // a view may leave the text out
  if (!shape.timeless) rows.event_time = &event_time;
  if (shape.has_arrival) rows.arrival_time = &arrival;
  if (shape.has_sequence) rows.sequence = &sequence;
  rows.valid_to = &valid_to;
  rows.is_delete = &is_delete;
  rows.available_after = shape.available_after;
  rows.is_push = shape.is_push;
  rows.partial_updates = shape.partial;
  if (shape.partial) rows.presence = std::span(presence).first(layout.size());
  rows.tie_order = shape.tie_order;
  rows.version_horizon = shape.horizon;
  rows.reference_time = shape.reference;
  return use(rows);
}

inline absl::StatusOr<larder::RowsResult> Write(larder::WriteTransaction& transaction,
                                                uint32_t view, const larder::RowLayout& layout,
                                                const std::vector<Event>& events,
                                                const Shape& shape = {}) {
  return WithRows(view, layout, events, shape, [&transaction](const larder::RowsToWrite& rows) {
    return transaction.WriteRows(rows);
  });
}

// A store with one view, 7, of kEventTypes.
class Store {
 public:
  static constexpr uint32_t kView = 7;

  explicit Store(larder::EnvironmentOptions (*options)(const FakeClock&) = &WritableOptions)
      : environment(OpenOrFail(directory / "store", options(clock))) {}

  // Builds a generation without publishing it.
  larder::GenerationBuilder Build(const larder::LoadLease& lease, const std::vector<Event>& events,
                                  const Shape& shape = {}, bool replace = false,
                                  larder::RowsResult* result = nullptr) {
    larder::GenerationOptions options;
    options.view_id = kView;
    options.layout = &layout;
    options.replace = replace;
    auto builder = larder::GenerationBuilder::Begin(lease, options);
    INFO(builder.status());
    REQUIRE(builder.ok());
    REQUIRE(WithRows(kView, layout, events, shape, [&builder](const larder::RowsToWrite& rows) {
              return builder->Add(rows);
            }).ok());
    const auto built = builder->Build();
    INFO(built.status());
    REQUIRE(built.ok());
    if (result != nullptr) *result = *built;
    return *std::move(builder);
  }
  absl::Status Publish(const larder::GenerationBuilder& built) {
    return larder::RunWriteTransaction(
               environment,
               [&](larder::WriteTransaction& transaction) { return built.Publish(transaction); })
        .status();
  }
  larder::RowsResult Load(const std::vector<Event>& events, const Shape& shape = {},
                          bool replace = false) {
    const auto lease = larder::LoadLease::Acquire(environment);
    INFO(lease.status());
    REQUIRE(lease.ok());
    larder::RowsResult result;
    const larder::GenerationBuilder built = Build(*lease, events, shape, replace, &result);
    const absl::Status published = Publish(built);
    INFO(published);
    REQUIRE(published.ok());
    return result;
  }

  larder::RowsResult Push(const std::vector<Event>& events, const Shape& shape = {}) {
    auto transaction = larder::WriteTransaction::Begin(environment);
    INFO(transaction.status());
    REQUIRE(transaction.ok());
    auto result = Write(*transaction, kView, layout, events, shape);
    INFO(result.status());
    REQUIRE(result.ok());
    const auto committed = transaction->Commit();
    INFO(committed.status());
    REQUIRE(committed.ok());
    return *result;
  }
  [[nodiscard]] larder::ReadSession Session() const {
    auto session = larder::ReadSession::Open(environment);
    INFO(session.status());
    REQUIRE(session.ok());
    return *std::move(session);
  }
  // The int64 feature of the winner; nullopt without one.
  [[nodiscard]] std::optional<int64_t> Number(int64_t as_of,
                                              std::optional<int64_t> known_at = std::nullopt,
                                              const std::string& key = IntKey(1)) const {
    const larder::ReadSession session = Session();
    std::optional<larder::Timestamp> known;
    if (known_at) known = larder::Timestamp{*known_at};
    const auto row = session.FindRow(kView, layout, key, {as_of}, known);
    INFO(row.status());
    REQUIRE(row.ok());
    if (!*row) return std::nullopt;
    return (*row)->Get<int64_t>(0);
  }
  [[nodiscard]] std::size_t Versions(const std::string& key = IntKey(1)) const {
    const larder::ReadSession session = Session();
    std::size_t count = 0;
    REQUIRE(session
                .ForEachVersionOf(kView, layout, key,
                                  [&](const larder::RowView&) {
                                    ++count;
                                    return true;
                                  })
                .ok());
    return count;
  }

  TemporaryDirectory directory;
  FakeClock clock;
  larder::RowLayout layout = LayoutOf(kEventTypes);
  std::shared_ptr<larder::Environment> environment;
};

// LARDER_SEED, or a fresh one; printed when a case fails.
inline uint64_t TestSeed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("LARDER_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }();
  return seed;
}

// How often a slow case repeats itself: LARDER_ROUNDS, or `normal`.
inline int Rounds(int normal) {
  const char* given = std::getenv("LARDER_ROUNDS");
  return given != nullptr ? std::atoi(given) : normal;
}

}  // namespace larder_test
