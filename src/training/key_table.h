// Numbers for distinct join keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "training/join_key.h"

namespace larder::inline LARDER_ABI {

class KeyTable {
 public:
  explicit KeyTable(KeyForm form) : form_(form) {}
  // The key's number, new or old.
  uint32_t Insert(uint64_t word, std::string_view bytes);
  // Nothing when the key was never inserted.
  [[nodiscard]] std::optional<uint32_t> Find(uint64_t word, std::string_view bytes) const;
  [[nodiscard]] std::size_t size() const { return words_.size(); }
  // For what Find reads first.
  void Fetch(uint64_t word) const { __builtin_prefetch(&places_[StartOf(word)]); }

  // In the form of words, of a few keys at once: 0, or the key's number plus one.
  void FindWords(std::span<const uint64_t> words, uint32_t* found) const {
    // Apart, so that reads of memory overlap.
    for (std::size_t i = 0; i < words.size(); ++i) found[i] = places_[StartOf(words[i])];
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (found[i] == 0 || words_[found[i] - 1] == words[i]) continue;
      const std::optional<uint32_t> number = Find(words[i], {});
      found[i] = number ? *number + 1 : 0;
    }
  }

 private:
  // Most keys are in their first place.
  static constexpr std::size_t kPlacesPerKey = 4;

  [[nodiscard]] std::size_t StartOf(uint64_t word) const {
    return (form_ == KeyForm::kWord ? MixWord(word) : word) & (places_.size() - 1);
  }
  [[nodiscard]] bool Holds(uint32_t place, uint64_t word, std::string_view bytes) const {
    return words_[place - 1] == word && (form_ == KeyForm::kWord || bytes_[place - 1] == bytes);
  }
  void Grow();

  KeyForm form_;
  std::vector<uint32_t> places_ = std::vector<uint32_t>(16);  // a number plus one; 0: free
  std::vector<uint64_t> words_;                               // by number
  std::vector<std::string> bytes_;                            // in the form of bytes, by number
};

}  // namespace larder::inline LARDER_ABI
