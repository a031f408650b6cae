#include "larder/online/verify.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <map>
#include <set>
#include <utility>

#include "online/environment_impl.h"
#include "online/file_check.h"
#include "online/generation_record.h"
#include "online/lmdb_status.h"
#include "online/page_walk.h"
#include "online/record_key.h"
#include "online/row_codec.h"
#include "online/segment.h"
#include "online/store_directory.h"
#include "online/verify_file.h"
#include "online/view_directory.h"

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
      VisitRecord(key, value);
    } else if (database == kSegmentsName) {
      VisitSegment(key, value);
    } else {
      Problem(Concat("unknown database ", database), 0);
    }
  }

  void Finish() {
    if (!has_format_) report_->problems.emplace_back("there is no format row");
    if (!has_head_) report_->problems.emplace_back("there is no head row");
    for (const auto& [id, ref] : listed_) {
      const auto stored = stored_.find(id);
      if (stored == stored_.end() || stored->second != ref) Problem("listed segment", id);
    }
    for (const auto& [id, ref] : stored_) {
      if (listed_.count(id) == 0) {
        report_->problems.push_back(Concat("segment ", id, " belongs to no view"));
      } else if (id > segment_last_) {
        Problem("the number of segment", id);
      }
    }
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
      hash_seed_ = LoadAs<FormatRow>(value.data()).hash_seed;
    } else if (key == kHeadKey && value.size() == sizeof(HeadRow)) {
      has_head_ = check_holds(offsetof(HeadRow, check));
      report_->commit_seq = LoadAs<HeadRow>(value.data()).commit_seq;
      report_->moved_to = LoadAs<HeadRow>(value.data()).moved_to;
      segment_last_ = LoadAs<HeadRow>(value.data()).segment_last;
    } else {
      Problem("an unknown entry beside the named databases", 0);
    }
  }
  void VisitRecord(std::string_view key, std::string_view value) {
    const ParsedRecordKey parsed = ParseRecordKey(key);
    const absl::StatusOr<std::string_view> bytes = DecodeRecord(key, value, true);
    const bool is_directory = parsed.ok && parsed.table == kDirectoryTable;
    const bool is_generation = parsed.ok && parsed.table == kGenerationTable;
    if (!is_directory && !is_generation) ++report_->records;
    if (!parsed.ok || !bytes.ok()) return Problem("record", report_->records);
    if (is_directory) {
      const absl::StatusOr<ViewDirectory> directory = ViewDirectory::Parse(*bytes);
      if (!directory.ok() || parsed.key.size() != 8) return Problem("list of segments", 0);
      const auto view_id = static_cast<uint32_t>(LoadBigEndian(parsed.key.data()) >> 32);
      report_->rows += directory->row_count;
      if (!directory->empty()) views_.insert(view_id);
      report_->views = views_.size();
      List(*directory, view_id);
    } else if (is_generation) {
      const absl::StatusOr<GenerationRecord> generation = GenerationRecord::Parse(*bytes);
      if (!generation.ok() || parsed.key.size() != 16) return Problem("generation", 0);
      List(generation->directory, static_cast<uint32_t>(LoadBigEndian(parsed.key.data()) >> 32));
    }
  }
  void List(const ViewDirectory& directory, uint32_t view_id) {
    for (const Partition& partition : directory.partitions()) {
      for (const SegmentRef& segment : partition.segments) {
        listed_[segment.id] = {segment, view_id, partition.prefix, partition.depth};
      }
    }
  }
  void VisitSegment(std::string_view key, std::string_view value) {
    if (key.size() != 8) return Problem("the number of a segment", 0);
    const uint64_t id = LoadBigEndian(key.data());
    const absl::StatusOr<SegmentView> segment = SegmentView::Open(value, nullptr, true);
    if (!segment.ok()) return Problem("segment", id);
    const SegmentHeader& header = segment->header();
    stored_[id] = {{id, static_cast<uint32_t>(header.size), static_cast<uint32_t>(header.key_count)},
                   header.view_id,
                   header.prefix,
                   header.depth};
    newest_commit_ = std::max(newest_commit_, header.commit_seq);
    uint64_t keys = 0;
    uint64_t rows = 0;
    const absl::Status walked = segment->ForEachKey([&](const char* row) -> absl::Status {
      ++keys;
      const uint64_t hash = Hash64(segment->KeyOf(row), hash_seed_);
      if (segment->Find(hash, segment->KeyOf(row)).row != row || !segment->MayHave(hash)) {
        return DataLossError("a key is not found where it should be");
      }
      for (; row != nullptr; row = segment->Older(row)) {
        ++rows;
        LARDER_RETURN_IF_ERROR(segment->CheckRow(row, hash));
      }
      return absl::OkStatus();
    });
    if (!walked.ok() || keys != header.key_count || rows != header.row_count)
      Problem("segment", id);
  }

  // A segment as a list and as it says itself.
  struct Place {
    SegmentRef ref;
    uint32_t view_id = 0;
    uint32_t prefix = 0;
    uint8_t depth = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  VerifyReport* report_;
  bool has_format_ = false;
  bool has_head_ = false;
  uint64_t hash_seed_ = 0;
  uint64_t segment_last_ = 0;
  uint64_t newest_commit_ = 0;
  std::set<uint32_t> views_;
  std::map<uint64_t, Place> listed_;
  std::map<uint64_t, Place> stored_;
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
  LARDER_ASSIGN_OR_RETURN(StoreDirectory directory, OpenStoreDirectory(path, options));
  for (;;) {
    absl::StatusOr<VerifyReport> report = VerifyDataFile(directory.data_path);
    if (report.ok() && (!report->ok() || report->moved_to <= directory.number)) return report;
    // A rewrite that was cut short, or has just taken the old folder away.
    const absl::StatusOr<uint64_t> current = CurrentFolder(path);
    const uint64_t next = report.ok() ? report->moved_to : current.ok() ? *current : 0;
    if (next <= directory.number) return report;
    directory = InFolder(directory, next);
  }
}

}  // namespace larder::inline LARDER_ABI
