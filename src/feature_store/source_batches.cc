#include "feature_store/source_batches.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "feature_store/widen.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

// The batch itself where its columns are of the declared types.
absl::StatusOr<std::shared_ptr<const Batch>> AsDeclared(const Source& source,
                                                        std::shared_ptr<const Batch> rows) {
  const auto differs = [&](const Field& field) {
    const Column* const column = rows->Find(field.name);
    return column != nullptr && column->type() != field.type;
  };
  if (std::none_of(source.fields.begin(), source.fields.end(), differs)) return rows;
  auto declared = std::make_shared<Batch>();
  for (const Field& field : source.fields) {
    const Column* const column = rows->Find(field.name);
    if (column == nullptr) continue;
    LARDER_ASSIGN_OR_RETURN(
        Column made,
        WidenColumn(*column, field.type, Concat("source ", source.name, ", field ", field.name)));
    LARDER_RETURN_IF_ERROR(declared->AddColumn(field.name, std::move(made)));
  }
  return std::shared_ptr<const Batch>(std::move(declared));
}

}  // namespace

const SourceRows* SourcePlaces::Find(std::string_view source) const {
  const auto found = std::find_if(given.begin(), given.end(),
                                  [&](const SourceRows& one) { return one.source == source; });
  return found == given.end() ? nullptr : &*found;
}

absl::Status CheckGiven(std::span<const SourceRows> given, std::span<const Source* const> known) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const SourceRows& one = given[i];
    const auto is_it = [&](const SourceRows& other) { return other.source == one.source; };
    if (std::any_of(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(i), is_it))
      return InvalidArgumentError("rows of source ", one.source, " are given twice");
    if ((one.rows != nullptr) == (one.open != nullptr)) {
      return InvalidArgumentError("rows of source ", one.source,
                                  ": expected either rows or a function that opens a reader");
    }
    std::vector<std::string> names;
    for (const Source* const source : known) names.push_back(source->name);
    if (std::find(names.begin(), names.end(), one.source) == names.end()) {
      return InvalidArgumentError("rows are given of source ", one.source,
                                  ", which nothing asked for reads", DidYouMean(one.source, names));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SourceBatches> SourceBatches::Open(const Source& source, const SourcePlaces& places,
                                                  std::optional<bool> strict) {
  SourceBatches batches;
  batches.name_ = source.name;
  const SourceRows* const given = places.Find(source.name);
  if (given == nullptr) {
    TextReadOptions options;
    options.base_path = places.base_path;
    options.strict = strict;
    LARDER_ASSIGN_OR_RETURN(batches.reader_, OpenSource(source, options));
  } else if (given->rows != nullptr) {
    LARDER_ASSIGN_OR_RETURN(batches.rows_, AsDeclared(source, given->rows));
    batches.counts_.rows = static_cast<int64_t>(batches.rows_->row_count());
  } else {
    LARDER_ASSIGN_OR_RETURN(batches.reader_, given->open());
    batches.foreign_ = &source;
  }
  return batches;
}

absl::StatusOr<std::shared_ptr<const Batch>> SourceBatches::Next() {
  if (reader_ == nullptr) {
    const bool is_empty = rows_ == nullptr || rows_->row_count() == 0;
    return is_empty ? nullptr : std::exchange(rows_, nullptr);
  }
  if (last_ == nullptr || last_.use_count() > 1) last_ = std::make_shared<Batch>();
  LARDER_ASSIGN_OR_RETURN(const bool more, reader_->Next(last_.get()));
  if (!more) return std::shared_ptr<const Batch>();
  if (foreign_ != nullptr) return AsDeclared(*foreign_, last_);
  return std::shared_ptr<const Batch>(last_);
}

std::string SourceBatches::PlaceOf(std::size_t row) const {
  return reader_ != nullptr ? reader_->PlaceOf(row) : Concat("source ", name_, ":", row + 1);
}

const ReadCounts& SourceBatches::counts() const {
  return reader_ != nullptr ? reader_->counts() : counts_;
}

}  // namespace larder::inline LARDER_ABI
