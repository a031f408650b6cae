#include <algorithm>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

struct TimeZone::Impl {
  std::string name;
  absl::TimeZone zone;
};

namespace {

// What the zone loader takes beyond the database depends on the host: a path, the TZ variable,
// libc.
bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '/' || name == "localtime") return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/' || c == '.';
  });
}

const std::string& UtcName() {
  static const std::string* const kName = new std::string("UTC");
  return *kName;
}

}  // namespace

TimeZone::TimeZone() = default;

absl::StatusOr<TimeZone> TimeZone::Load(std::string_view name) {
  TimeZone loaded;
  if (name == "UTC") return loaded;
  auto impl = std::make_shared<Impl>();
  impl->name = std::string(name);
  if (!IsZoneName(name) || !absl::LoadTimeZone(impl->name, &impl->zone)) {
    return NotFoundError("unknown time zone: ", Quoted(name),
                         " (expected an IANA name such as Europe/Berlin)");
  }
  loaded.impl_ = std::move(impl);
  return loaded;
}

const std::string& TimeZone::name() const { return impl_ == nullptr ? UtcName() : impl_->name; }

int64_t TimeZone::OffsetSecondsAt(Timestamp instant) const {
  return impl_ == nullptr ? 0 : impl_->zone.At(absl::FromUnixMicros(instant.us)).offset;
}

Timestamp TimeZone::FromLocal(int64_t local_us) const {
  if (impl_ == nullptr) return {local_us};
  int64_t seconds = local_us / kMicrosPerSecond;
  int64_t micros = local_us % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --seconds;
  }
  // `pre` reads the wall clock with the offset before the change: the first of a repeated hour.
  const absl::Time instant = impl_->zone.At(absl::CivilSecond() + seconds).pre;
  return Timestamp{absl::ToUnixMicros(instant)}.Plus({micros});
}

Date TimeZone::LocalDate(Timestamp instant) const {
  return DateOf(instant.Plus(Duration::Seconds(OffsetSecondsAt(instant))));
}

}  // namespace larder::inline LARDER_ABI
