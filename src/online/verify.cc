#include "larder/online/verify.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "online/environment_impl.h"
#include "online/file_check.h"
#include "online/lmdb_status.h"
#include "online/page_walk.h"
#include "online/row_codec.h"
#include "online/row_key.h"
#include "online/store_directory.h"
#include "online/verify_file.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kProblemsMax = 100;

// Checks what the pages hold.
class ContentCheck {
 public:
  explicit ContentCheck(VerifyReport* report) : report_(report) {}

  void Visit(std::string_view database, std::string_view key, std::string_view value) {
    if (database.empty()) {
      VisitFixed(key, value);
    } else if (database == kRecordsName) {
      ++report_->records;
      if (!ParseRecordKey(key).ok || !DecodeRecord(key, value, true).ok())
        Problem("record", report_->records);
    } else if (database == kRowsName) {
      ++report_->rows;
      VisitRow(key, value);
    } else {
      Problem(Concat("unknown database ", database), 0);
    }
  }

  void Finish() {
    if (!has_format_) report_->problems.emplace_back("there is no format row");
    if (!has_head_) report_->problems.emplace_back("there is no head row");
    if (has_head_ && newest_commit_ > report_->commit_seq) {
      report_->problems.push_back(
          Concat("a row is of commit ", newest_commit_, ", the head row of ", report_->commit_seq));
    }
  }

 private:
  void Problem(std::string_view what, uint64_t number) {
    if (report_->problems.size() < kProblemsMax) {
      report_->problems.push_back(Concat(what, " ", number, ": its check or form does not hold"));
    }
  }
  void VisitFixed(std::string_view key, std::string_view value) {
    const auto check_holds = [&value](std::size_t at) {
      return LoadAs<uint32_t>(value.data() + at) ==
             static_cast<uint32_t>(Hash64(value.substr(at + 4)));
    };
    if (key == kFormatKey && value.size() >= sizeof(FormatRow)) {
      has_format_ = check_holds(offsetof(FormatRow, check)) &&
                    LoadAs<uint64_t>(value.data()) == FormatRow::kMagic;
    } else if (key == kHeadKey && value.size() == sizeof(HeadRow)) {
      has_head_ = check_holds(offsetof(HeadRow, check));
      report_->commit_seq = LoadAs<HeadRow>(value.data()).commit_seq;
    } else {
      Problem("an unknown entry beside the named databases", 0);
    }
  }
  void VisitRow(std::string_view key, std::string_view value) {
    const ParsedRowKey parsed = ParseRowKey(key);
    if (!parsed.ok || !StoredCheckHolds(key, value) || value.size() < sizeof(RowHeader)) {
      Problem("row", report_->rows);
      return;
    }
    if (report_->views == 0 || parsed.view_id != view_) ++report_->views;
    view_ = parsed.view_id;
    newest_commit_ =
        std::max(newest_commit_, LoadAs<uint64_t>(value.data() + offsetof(RowHeader, commit_seq)));
    if (LoadAs<int64_t>(value.data() + offsetof(RowHeader, event_time)) != parsed.order.event_time) {
      Problem("row", report_->rows);
    }
  }

  VerifyReport* report_;
  bool has_format_ = false;
  bool has_head_ = false;
  uint32_t view_ = 0;
  uint64_t newest_commit_ = 0;
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyDataFile(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return SystemError(errno, "opening", path);
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    VerifyReport report;
    const absl::StatusOr<MetaPage> meta = ReadMetaPages(file.get(), path);
    if (!meta.ok()) {
      const ErrorKind kind = KindOf(meta.status());
      if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kTruncated) return meta.status();
      report.problems.emplace_back(MessageOf(meta.status()));
      return report;
    }
    struct stat info {};
    if (fstat(file.get(), &info) != 0) return SystemError(errno, "reading the size", path);
    report.pages = static_cast<uint64_t>(info.st_size) / meta->page_size;
    ContentCheck content(&report);
    PageWalk walk(file.get(), *meta, report.pages);
    const bool readable =
        walk.Run([&content](std::string_view database, std::string_view key,
                            std::string_view value) { content.Visit(database, key, value); });
    content.Finish();
    report.problems.insert(report.problems.begin(), walk.problems().begin(), walk.problems().end());
    if (!readable)
      return WithKind(UnavailableError(path, ": ", report.problems.front()), ErrorKind::kIoError);
    report.pages_free = walk.pages_free();
    const uint64_t accounted = walk.pages_used() + walk.pages_free();
    report.pages_unused = meta->last_page + 1 > accounted ? meta->last_page + 1 - accounted : 0;
    if (report.ok()) return report;
    const absl::StatusOr<MetaPage> after = ReadMetaPages(file.get(), path);
    if (!after.ok() || after->txn_id == meta->txn_id) return report;
    const timespec pause{0, 20'000'000};
    nanosleep(&pause, nullptr);
  }
  return WithKind(UnavailableError(path, ": commits came faster than it could be read"),
                  ErrorKind::kBusy);
}

absl::StatusOr<VerifyReport> VerifyStore(const std::string& path) {
  EnvironmentOptions options;
  options.read_only = true;
  options.allow_any_filesystem = true;
  LARDER_ASSIGN_OR_RETURN(const StoreDirectory directory, OpenStoreDirectory(path, options));
  return VerifyDataFile(directory.data_path);
}

}  // namespace larder::inline LARDER_ABI
