#include "io/line_reader.h"

#include <algorithm>

#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<bool> LineReader::Next(std::string_view* out) {
  for (;;) {
    const std::size_t feed = buffer_.find('\n', std::max(begin_, scanned_));
    if (feed != std::string::npos || (at_end_ && begin_ < buffer_.size())) {
      const std::size_t end = std::min(feed, buffer_.size());
      *out = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = scanned_ = std::min(end + 1, buffer_.size());
      ++line_;
      if (line_ == 1 && out->starts_with("\xEF\xBB\xBF")) out->remove_prefix(3);
      if (out->size() > kLineSizeMax) return TooLong();
      return true;
    }
    if (at_end_) return false;
    if (buffer_.size() - begin_ > kLineSizeMax) {
      ++line_;
      return TooLong();
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    scanned_ = buffer_.size();
    constexpr std::size_t kChunk = std::size_t{256} << 10;
    buffer_.resize(scanned_ + kChunk);
    LARDER_ASSIGN_OR_RETURN(const std::size_t got, source_->Read(buffer_.data() + scanned_, kChunk));
    buffer_.resize(scanned_ + got);
    at_end_ = got == 0;
  }
}

absl::Status LineReader::TooLong() const {
  return InvalidArgumentError(name(), ":", line_, ": a line of more than ", kLineSizeMax, " bytes");
}

}  // namespace larder::inline LARDER_ABI
