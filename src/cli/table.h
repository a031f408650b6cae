// Rows of text in aligned columns, or as CSV.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace cli {

class Table {
 public:
  // No headers: none are printed.
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}
  // Requires: as many cells in every row, and as many as headers when there are any.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // Columns of numbers are aligned to the right. Control characters are removed. Columns without a single cell are
  // left out.
  [[nodiscard]] std::string ToText(std::string_view indent = {}) const;
  // All columns, exactly as they are.
  [[nodiscard]] std::string ToCsv() const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns a terminal gives to UTF-8 text: wide characters take two, combining ones none.
[[nodiscard]] std::size_t DisplayWidth(std::string_view text);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
