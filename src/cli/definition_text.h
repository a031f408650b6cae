// Parts of definitions in a few words, for tables.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {
namespace cli {

[[nodiscard]] std::string FieldsText(std::span<const Field> fields);  // `user_id int64, day date`
[[nodiscard]] std::string FieldNames(std::span<const Field> fields);  // `user_id, day`
[[nodiscard]] std::string TagsText(
    const std::map<std::string, std::string>& tags);             // `tier=1, team=risk`
[[nodiscard]] std::string_view SourceKindName(SourceKind kind);  // `csv`
[[nodiscard]] std::string SourceText(const Source& source);      // `csv tx/*.csv, event time at`

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
