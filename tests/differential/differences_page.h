// docs/explanation/duckdb_differences.md as data: a row of its tables is a rule with an example for each side.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "larder/base/text.h"

namespace larder_test {

struct ListedDifference {
  std::string rule;
  std::string larder;  // an expression over nothing
  std::string larder_gives;
  std::string sql;
  std::string sql_gives;  // `error` when DuckDB refuses
  std::string reason;
};

inline std::vector<ListedDifference> ReadDifferencesPage() {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/explanation/duckdb_differences.md");
  std::vector<ListedDifference> out;
  std::string line;
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
        cell.push_back(line[++i]);
      } else if (line[i] == '|') {
        cell = std::string(larder::TrimAscii(cell));
        if (cell.size() > 1 && cell.front() == '`' && cell.back() == '`')
          cell = cell.substr(1, cell.size() - 2);
        cells.push_back(std::move(cell));
        cell.clear();
      } else {
        cell.push_back(line[i]);
      }
    }
    if (line.rfind("| `", 0) == 0 && cells.size() == 6)
      out.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]});
  }
  return out;
}

}  // namespace larder_test
