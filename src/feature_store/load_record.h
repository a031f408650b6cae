// What the store remembers of a data id's loads and pushes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

struct LoadRecord {
  bool loaded = false;
  Timestamp from = Timestamp::Min();  // of the last load; Min: the source's beginning
  Timestamp to = Timestamp::Min();    // the watermark: the greatest end of all loads
  Timestamp at = Timestamp::Min();    // commit time of the last load
  uint64_t pushed_rows = 0;
  uint64_t rows_read = 0;                  // by the last load
  Timestamp pushed_at = Timestamp::Min();  // commit time of the last push

  // 1 had neither rows_read nor pushed_at.
  static constexpr uint8_t kFormat = 2;
  [[nodiscard]] std::string Serialize() const {
    ByteWriter writer;
    writer.Put(kFormat);
    writer.Put(static_cast<uint8_t>(loaded));
    writer.Put(from.us);
    writer.Put(to.us);
    writer.Put(at.us);
    writer.Put(pushed_rows);
    writer.Put(rows_read);
    writer.Put(pushed_at.us);
    return std::move(writer).Take();
  }
  static absl::StatusOr<LoadRecord> Parse(std::string_view bytes) {
    ByteReader reader(bytes);
    LoadRecord record;
    const auto format = reader.Get<uint8_t>();
    record.loaded = reader.Get<uint8_t>() != 0;
    record.from.us = reader.Get<int64_t>();
    record.to.us = reader.Get<int64_t>();
    record.at.us = reader.Get<int64_t>();
    record.pushed_rows = reader.Get<uint64_t>();
    if (format != 1) {
      record.rows_read = reader.Get<uint64_t>();
      record.pushed_at.us = reader.Get<int64_t>();
    }
    if (!reader.ok() || format == 0 || format > kFormat)
      return WithKind(DataLossError("damaged load record"), ErrorKind::kCorrupt);
    return record;
  }
};

}  // namespace larder::inline LARDER_ABI
