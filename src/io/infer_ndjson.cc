#include "io/infer_ndjson.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_source.h"
#include "io/column_guess.h"
#include "io/field_names.h"
#include "io/line_reader.h"
#include "larder/base/text.h"
#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

using Json = nlohmann::ordered_json;

unsigned KindsOfScalar(const Json& value) {
  if (value.is_boolean()) return ColumnGuess::kBool;
  if (value.is_number_unsigned()) {
    const bool fits = value.get<uint64_t>() <= uint64_t{INT64_MAX};
    return fits ? ColumnGuess::kInteger | ColumnGuess::kNumber : ColumnGuess::kNumber;
  }
  if (value.is_number_integer()) return ColumnGuess::kInteger | ColumnGuess::kNumber;
  if (value.is_number_float()) return ColumnGuess::kNumber;
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return 0;
  // A text of digits is a text: JSON has numbers of its own.
  return ColumnGuess::KindsOf(value.get_ref<const std::string&>()) &
         (ColumnGuess::kDate | ColumnGuess::kTime);
}

// What the values of one member have been.
struct MemberGuess {
  std::string name;
  ColumnGuess scalars;
  ColumnGuess items;  // of arrays and objects
  bool text = false;
  bool scalar = false;  // of JSON's other kinds
  bool array = false;
  bool object = false;
  bool other = false;  // nested deeper, or items of several kinds

  void See(const Json& value) {
    if (value.is_null()) return;
    text = text || value.is_string();
    scalar = scalar || value.is_primitive() != value.is_string();
    array = array || value.is_array();
    object = object || value.is_object();
    if (!value.is_structured()) return scalars.SeeKinds(KindsOfScalar(value));
    for (const Json& item : value) {
      if (item.is_null()) continue;
      other = other || item.is_structured();
      items.SeeKinds(KindsOfScalar(item));
    }
  }
  // Nothing for what is sometimes this and sometimes that.
  [[nodiscard]] std::optional<DataType> type() const {
    if (other || (text ? 1 : 0) + (scalar ? 1 : 0) + (array ? 1 : 0) + (object ? 1 : 0) > 1)
      return std::nullopt;
    if (array) return DataType::List(items.type());
    if (!object) return DataType(scalars.type());
    const TypeId item = items.is_text() ? TypeId::kFloat64 : items.type();
    if (item != TypeId::kInt64 && item != TypeId::kFloat64) return std::nullopt;
    return DataType::Map(item);
  }
};

}  // namespace

absl::StatusOr<Source> InferNdjson(const std::string& path, const InferOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> paths, ExpandPath(path, options.base_path));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenByteSource(paths[0], "auto"));
  LineReader lines(std::move(bytes));
  std::vector<MemberGuess> members;
  std::string_view line;
  for (std::size_t rows = 0; options.rows_max == 0 || rows < options.rows_max; ++rows) {
    LARDER_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) break;
    const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) continue;  // the reader will say so
    for (const auto& [name, value] : object.items()) {
      const std::string& wanted = name;
      auto member = std::find_if(members.begin(), members.end(),
                                 [&](const MemberGuess& known) { return known.name == wanted; });
      if (member == members.end()) {
        members.emplace_back().name = name;
        member = std::prev(members.end());
      }
      member->See(value);
    }
  }
  Source source;
  source.kind = SourceKind::kNdjson;
  source.name = SourceNameOf(path);
  source.path = path;
  FieldNamer namer;
  for (const MemberGuess& member : members) namer.Reserve(member.name);
  std::vector<std::string> times;
  for (const MemberGuess& member : members) {
    const std::optional<DataType> type = member.type();
    if (!type.has_value()) continue;
    source.fields.push_back(namer.MakeField(member.name, *type));
    if (type->id() == TypeId::kTimestamp) times.push_back(source.fields.back().name);
  }
  if (times.size() == 1) source.event_time = times[0];
  if (source.fields.empty())
    return InvalidArgumentError(paths[0], ": found no JSON objects with members to read");
  return source;
}

}  // namespace larder::inline LARDER_ABI
