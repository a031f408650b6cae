#include "io/zip_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "io/file_writer.h"

#if defined(LARDER_HAVE_ZLIB)
#include "io/deflate_stream.h"
#endif

namespace larder::inline LARDER_ABI {

#if defined(LARDER_HAVE_ZLIB)

namespace {

constexpr uint32_t kFull32 = 0xFFFFFFFF;  // the real number stands in a ZIP64 field
constexpr uint16_t kFull16 = 0xFFFF;
constexpr uint16_t kVersion = 45;        // needed for ZIP64
constexpr uint16_t kUtf8Names = 0x0800;  // flag
constexpr uint16_t kFirstDate = 0x0021;  // 1980-01-01
constexpr uint16_t kZip64 = 0x0001;      // tag of an extra field
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

class Record {
 public:
  Record& U16(uint64_t value) { return Put(value, 2); }
  Record& U32(uint64_t value) { return Put(value, 4); }
  Record& U64(uint64_t value) { return Put(value, 8); }
  Record& Text(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  Record& Put(uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }
  std::string bytes_;
};

struct Member {
  std::string name;
  uint64_t at = 0;       // of its local header in the file
  uint64_t head_at = 0;  // of its first bytes
  uint32_t head_size = 0;
  uint64_t size = 0;
  uint64_t packed_size = 0;
  uint32_t crc = 0;
};

uint32_t Crc(uint32_t crc, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, std::size_t{1} << 30);
    crc = static_cast<uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size())));
    bytes.remove_prefix(part.size());
  }
  return crc;
}

class ZlibZipWriter : public ZipWriter {
 public:
  ZlibZipWriter(std::unique_ptr<FileWriter> file, bool compress)
      : file_(std::move(file)), method_(compress ? kDeflated : kStored) {}

  absl::Status Begin(std::string name, std::string_view head) override {
    LARDER_DCHECK(head.size() <= 0xFFFF);
    Member member;
    member.name = std::move(name);
    member.at = file_->size();
    member.head_size = static_cast<uint32_t>(head.size());
    LARDER_RETURN_IF_ERROR(file_->Append(LocalHeader(member)));
    members_.push_back(std::move(member));
    tail_crc_ = 0;
    tail_size_ = 0;
    if (method_ == kDeflated) {
      // The head is a stored block before zlib's own blocks: it takes the same bytes whatever it says.
      Record block;
      block.Text(std::string_view("\0", 1)).U16(head.size()).U16(~head.size());
      LARDER_RETURN_IF_ERROR(file_->Append(block.bytes()));
      LARDER_RETURN_IF_ERROR(stream_.Open(DeflateStream::Frame::kNone));
    }
    members_.back().head_at = file_->size();
    return file_->Append(head);
  }

  absl::Status Append(std::string_view bytes) override {
    tail_crc_ = Crc(tail_crc_, bytes);
    tail_size_ += bytes.size();
    if (method_ == kStored) return file_->Append(bytes);
    return stream_.Append(bytes, file_.get());
  }

  absl::Status End(std::string_view head) override {
    Member& member = members_.back();
    LARDER_DCHECK(head.size() == member.head_size);
    if (method_ == kDeflated) LARDER_RETURN_IF_ERROR(stream_.Finish(file_.get()));
    member.size = member.head_size + tail_size_;
    const uint64_t before_head = method_ == kDeflated ? 5 : 0;
    member.packed_size = file_->size() - member.head_at + before_head;
    member.crc = static_cast<uint32_t>(
        crc32_combine(Crc(0, head), tail_crc_, static_cast<z_off_t>(tail_size_)));
    LARDER_RETURN_IF_ERROR(file_->Replace(member.at, LocalHeader(member)));
    return file_->Replace(member.head_at, head);
  }

  absl::Status Finish() override {
    const uint64_t begin = file_->size();
    for (const Member& member : members_)
      LARDER_RETURN_IF_ERROR(file_->Append(DirectoryEntry(member)));
    const uint64_t end = file_->size();
    Record tail;
    tail.U32(0x06064B50).U64(44).U16(kVersion).U16(kVersion).U32(0).U32(0);
    tail.U64(members_.size()).U64(members_.size()).U64(end - begin).U64(begin);
    tail.U32(0x07064B50).U32(0).U64(end).U32(1);
    const uint64_t count = std::min<uint64_t>(members_.size(), kFull16);
    tail.U32(0x06054B50).U16(0).U16(0).U16(count).U16(count);
    tail.U32(std::min<uint64_t>(end - begin, kFull32)).U32(std::min<uint64_t>(begin, kFull32));
    tail.U16(0);
    LARDER_RETURN_IF_ERROR(file_->Append(tail.bytes()));
    return file_->Finish();
  }

 private:
  // Of one size, whatever the member's: it is written once before the member and again after it.
  [[nodiscard]] std::string LocalHeader(const Member& member) const {
    Record record;
    record.U32(0x04034B50).U16(kVersion).U16(kUtf8Names).U16(method_).U16(0).U16(kFirstDate);
    record.U32(member.crc).U32(kFull32).U32(kFull32).U16(member.name.size()).U16(20);
    record.Text(member.name).U16(kZip64).U16(16).U64(member.size).U64(member.packed_size);
    return record.bytes();
  }

  [[nodiscard]] std::string DirectoryEntry(const Member& member) const {
    Record record;
    record.U32(0x02014B50).U16(kVersion).U16(kVersion).U16(kUtf8Names).U16(method_).U16(0);
    record.U16(kFirstDate).U32(member.crc).U32(kFull32).U32(kFull32).U16(member.name.size());
    record.U16(28).U16(0).U16(0).U16(0).U32(0).U32(kFull32).Text(member.name);
    record.U16(kZip64).U16(24).U64(member.size).U64(member.packed_size).U64(member.at);
    return record.bytes();
  }

  std::unique_ptr<FileWriter> file_;
  uint16_t method_;
  std::vector<Member> members_;
  // Of the open member, without its head.
  uint32_t tail_crc_ = 0;
  uint64_t tail_size_ = 0;
  DeflateStream stream_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ZipWriter>> ZipWriter::Create(const std::string& path, bool compress,
                                                             bool durable) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<FileWriter> file, FileWriter::Create(path, durable));
  return std::make_unique<ZlibZipWriter>(std::move(file), compress);
}

#else

absl::StatusOr<std::unique_ptr<ZipWriter>> ZipWriter::Create(const std::string& path, bool, bool) {
  return UnimplementedError("cannot write ", path, ": larder was built without zlib");
}

#endif

}  // namespace larder::inline LARDER_ABI
