#include <algorithm>

#include "aggregate/scalar.h"
#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// min and max of fixed-width scalars.
class WordExtreme final : public State<WordExtreme> {
 public:
  WordExtreme(TypeId type, bool greatest) : type_(type), greatest_(greatest) {}
  [[nodiscard]] Algebra algebra() const override { return {.word_only = true}; }
  void Clear() override { any_ = false; }
  void Add(const AggregateEvent& event) override {
    if (!event.input.is_null) Take(OrderedWord(event.input.word, type_));
  }
  void AddWords(const WordColumn& words) override {
    if (words.size() == 0) return;
    uint64_t best = OrderedWord(words[0], type_);
    for (std::size_t i = 1; i < words.size(); ++i) {
      const uint64_t ordered = OrderedWord(words[i], type_);
      best = greatest_ ? std::max(best, ordered) : std::min(best, ordered);
    }
    Take(best);
  }
  void MergeSame(const WordExtreme& other) {
    if (other.any_) Take(other.best_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (!any_) return {};
    return {ScalarValue(WordFromOrdered(best_, type_), type_)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(greatest_ ? StateKind::kGreatest : StateKind::kLeast);
  }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>(any_));
    if (any_) out->Put(best_);
  }
  bool MergeState(ByteReader* in) override {
    const auto any = in->Get<uint8_t>();
    if (!in->ok() || any > 1) return false;
    if (any == 0) return true;
    const auto best = in->Get<uint64_t>();
    // Only what the type can hold comes back to the same order.
    const uint64_t word = WordFromOrdered(best, type_);
    if (!in->ok() || !IsWordOf(word, type_) || OrderedWord(word, type_) != best) return false;
    Take(best);
    return true;
  }

 private:
  void Take(uint64_t ordered) {
    if (any_ && (greatest_ ? ordered <= best_ : ordered >= best_)) return;
    any_ = true;
    best_ = ordered;
  }

  TypeId type_;
  bool greatest_;
  bool any_ = false;
  uint64_t best_ = 0;
};

// min and max of text, byte by byte: for UTF-8 the order of code points.
class TextExtreme final : public State<TextExtreme> {
 public:
  TextExtreme(TypeId type, bool greatest) : type_(type), greatest_(greatest) {}
  [[nodiscard]] Algebra algebra() const override { return {}; }
  void Clear() override { any_ = false; }
  void Add(const AggregateEvent& event) override {
    if (!event.input.is_null) Take(event.input.bytes);
  }
  void MergeSame(const TextExtreme& other) {
    if (other.any_) Take(other.best_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (!any_) return {};
    return {TextValue(best_, type_)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(greatest_ ? StateKind::kGreatest : StateKind::kLeast);
  }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>(any_));
    if (any_) out->PutText(best_);
  }
  bool MergeState(ByteReader* in) override {
    const auto any = in->Get<uint8_t>();
    if (!in->ok() || any > 1) return false;
    if (any == 0) return true;
    const std::string_view best = in->GetText();
    if (!in->ok() || !IsTextOf(best, type_)) return false;
    Take(best);
    return true;
  }

 private:
  void Take(std::string_view text) {
    if (any_ && (greatest_ ? text <= best_ : text >= best_)) return;
    any_ = true;
    best_ = text;
  }

  TypeId type_;
  bool greatest_;
  bool any_ = false;
  std::string best_;
};

}  // namespace

MadeState MakeExtreme(TypeId type, bool greatest) {
  if (IsText(type)) return std::make_unique<TextExtreme>(type, greatest);
  return std::make_unique<WordExtreme>(type, greatest);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
