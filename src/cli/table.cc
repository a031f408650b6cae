#include "cli/table.h"

#include <algorithm>
#include <cstdint>

#include "cli/console.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::size_t WidthOf(uint32_t point) {
  if ((point >= 0x0300 && point <= 0x036F) || point == 0x200B || point == 0x200D ||
      (point >= 0xFE00 && point <= 0xFE0F)) {
    return 0;
  }
  const bool wide = (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
                    (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
                    (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
                    (point >= 0xFFE0 && point <= 0xFFE6) ||
                    (point >= 0x1F300 && point <= 0x1FAFF) ||
                    (point >= 0x20000 && point <= 0x3FFFD);
  return wide ? 2 : 1;
}

bool LooksNumeric(std::string_view cell) {
  return cell.find_first_not_of("0123456789+-.,e% ") == std::string_view::npos &&
         cell.find_first_of("0123456789") != std::string_view::npos &&
         std::count(cell.begin(), cell.end(), '-') <= 2;
}

void AppendCsvCell(std::string_view cell, std::string* out) {
  if (!cell.empty() && cell.find_first_of(",\"\r\n") == std::string_view::npos &&
      cell.front() != ' ' && cell.back() != ' ') {
    out->append(cell);
    return;
  }
  if (cell.empty()) return;
  out->push_back('"');
  for (const char c : cell) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

void AppendCsvRow(const std::vector<std::string>& cells, std::string* out) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendCsvCell(cells[i], out);
  }
  out->push_back('\n');
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    width += WidthOf(point);
    i += size;
  }
  return width;
}

std::string Table::ToText(std::string_view indent) const {
  const std::size_t columns = !headers_.empty() ? headers_.size()
                              : rows_.empty()   ? 0
                                                : rows_[0].size();
  std::vector<std::vector<std::string>> cells;
  cells.reserve(rows_.size() + 1);
  if (!headers_.empty()) cells.push_back(headers_);
  cells.insert(cells.end(), rows_.begin(), rows_.end());
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> right(columns, true);
  std::vector<bool> used(columns, false);
  for (std::size_t r = 0; r < cells.size(); ++r) {
    const bool header = r == 0 && !headers_.empty();
    for (std::size_t c = 0; c < columns; ++c) {
      std::string& cell = cells[r][c];
      cell = Printable(cell);
      widths[c] = std::max(widths[c], DisplayWidth(cell));
      if (header || cell.empty()) continue;
      used[c] = true;
      if (cell != "-" && !LooksNumeric(cell)) right[c] = false;
    }
  }
  std::string out;
  for (const std::vector<std::string>& row : cells) {
    std::string line(indent);
    bool first = true;
    for (std::size_t c = 0; c < columns; ++c) {
      if (!used[c] && !rows_.empty()) continue;
      if (!first) line.append("  ");
      first = false;
      const std::size_t pad = widths[c] - DisplayWidth(row[c]);
      if (right[c]) line.append(pad, ' ');
      line.append(row[c]);
      if (!right[c]) line.append(pad, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.append(line).push_back('\n');
  }
  return out;
}

std::string Table::ToCsv() const {
  std::string out;
  if (!headers_.empty()) AppendCsvRow(headers_, &out);
  for (const std::vector<std::string>& row : rows_) AppendCsvRow(row, &out);
  return out;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
