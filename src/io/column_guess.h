// What the texts of one column may be, seen one after another.
#pragma once

#include <set>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

// With and without the words that may mean null.
class ColumnGuess {
 public:
  enum Kind : unsigned { kBool = 1, kInteger = 2, kNumber = 4, kDate = 8, kTime = 16, kAll = 31 };

  void See(std::string_view text);
  // A value that is of one of these kinds only; 0: text.
  void SeeKinds(unsigned kinds) {
    any_ = true;
    kinds_ &= kinds;
  }
  // The kinds `text` may be, as bits; 0: only a string. Requires: not empty.
  [[nodiscard]] static unsigned KindsOf(std::string_view text);

  [[nodiscard]] bool is_text() const { return !any_ || kinds_ == 0; }
  [[nodiscard]] TypeId type() const;
  [[nodiscard]] const std::set<std::string_view>& null_words() const LARDER_LIFETIME_BOUND {
    return null_words_;
  }

 private:
  unsigned kinds_ = kAll;
  bool any_ = false;
  std::set<std::string_view> null_words_;
};

}  // namespace larder::inline LARDER_ABI
