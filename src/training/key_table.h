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
  uint32_t Insert(uint64_t word, std::string_view bytes) { return InsertHash(HashOf(word), bytes); }
  // Nothing when the key was never inserted.
  [[nodiscard]] std::optional<uint32_t> Find(uint64_t word, std::string_view bytes) const {
    return FindHash(HashOf(word), bytes);
  }
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }
  // For what Find reads first.
  void Fetch(uint64_t word) const { FetchHash(HashOf(word)); }

  // The same for who has KeyHash of the word at hand.
  uint32_t InsertHash(uint64_t hash, std::string_view bytes);
  void FetchHash(uint64_t hash) const { __builtin_prefetch(&places_[StartOf(hash)]); }
  [[nodiscard]] std::optional<uint32_t> FindHash(uint64_t hash, std::string_view bytes) const;

  // In the form of words, of a few keys at once: 0, or the key's number plus one.
  void FindHashes(std::span<const uint64_t> hashes, uint32_t* found) const {
    // Apart, so that reads of memory overlap.
    for (std::size_t i = 0; i < hashes.size(); ++i) found[i] = places_[StartOf(hashes[i])];
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      if (found[i] == 0 || hashes_[found[i] - 1] == hashes[i]) continue;
      const std::optional<uint32_t> number = FindHash(hashes[i], {});
      found[i] = number ? *number + 1 : 0;
    }
  }

 private:
  // Most keys are in their first place.
  static constexpr std::size_t kPlacesPerKey = 4;

  [[nodiscard]] uint64_t HashOf(uint64_t word) const { return KeyHash(form_, word); }
  [[nodiscard]] std::size_t StartOf(uint64_t hash) const { return hash & (places_.size() - 1); }
  [[nodiscard]] bool Holds(uint32_t place, uint64_t hash, std::string_view bytes) const {
    return hashes_[place - 1] == hash && (form_ == KeyForm::kWord || bytes_[place - 1] == bytes);
  }
  void Grow();

  KeyForm form_;
  std::vector<uint32_t> places_ = std::vector<uint32_t>(16);  // a number plus one; 0: free
  std::vector<uint64_t> hashes_;                              // by number
  std::vector<std::string> bytes_;                            // in the form of bytes, by number
};

}  // namespace larder::inline LARDER_ABI
