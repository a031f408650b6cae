// The machine both drivers drive: typed registers of up to `n` rows and instructions that are kernel calls.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "larder/base/config.h"
#include "larder/transform/expression.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// What a register holds per row. Narrow types are widened on load and narrowed on store, so that kernels exist once:
// int32, date, timestamp and duration are kI64, float32 is kF64, bool is one bit of a word.
enum class Storage : uint8_t { kBits, kI64, kU64, kF64, kText, kFixed, kList };

constexpr std::size_t StorageBytes(Storage storage) {
  switch (storage) {
    case Storage::kBits:
      return 0;  // counted in words
    case Storage::kText:
      return sizeof(TextRef);
    case Storage::kList:
      return sizeof(ListRef);
    default:
      return 8;
  }
}

inline constexpr std::size_t kChunkRows = 512;

struct Register {
  void* data =
      nullptr;  // n values; one value when the register is constant (bits: always whole words)
  const uint64_t* valid = nullptr;  // null: every row is valid. Bits past n are arbitrary
  uint64_t* storage = nullptr;      // room for `valid`
};

// Bump memory for the texts of one chunk. Reset keeps one block of the largest total seen, so that a steady load
// allocates nothing.
class TextArena {
 public:
  // Past `bytes` it is exhausted until the next Reset. It goes on serving: who asks stops at the next word of rows.
  void SetBudget(std::size_t bytes) { budget_ = bytes; }
  [[nodiscard]] bool exhausted() const { return exhausted_; }

  char* Allocate(std::size_t size) {
    if (size > room_) Grow(size);
    char* at = next_;
    next_ += size;
    room_ -= size;
    return at;
  }
  // Gives back the end of the last allocation.
  void Trim(std::size_t unused) {
    next_ -= unused;
    room_ += unused;
  }
  void Reset() {
    if (blocks_.empty()) return;
    if (exhausted_) return Clear();
    if (blocks_.size() > 1) Join();
    next_ = blocks_.back().get();
    room_ = total_;
  }

 private:
  void Join();
  void Clear();
  void Grow(std::size_t size);
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t total_ = 0;
  char* next_ = nullptr;
  std::size_t room_ = 0;
  std::size_t budget_ = std::numeric_limits<std::size_t>::max();
  bool exhausted_ = false;
};

struct Instruction;
struct Frame {
  Register* registers = nullptr;
  std::size_t n = 0;
  std::size_t words = 0;   // BitWords(n)
  uint64_t tail_mask = 0;  // the bits of the last word that are rows
  TextArena* arena = nullptr;
  EvalCounts* counts = nullptr;
};

using Kernel = void (*)(const Instruction&, Frame&);

inline constexpr uint32_t kNoRegister = 0xffffffffU;

// Never allocates but through the arena, never throws, and is defined for every bit pattern of its inputs: rows under
// null hold arbitrary values (texts and nested values are only followed where valid).
struct Instruction {
  Kernel kernel = nullptr;
  uint32_t out = kNoRegister;
  // Bits of the rows that matter. None set: this and the `skip` - 1 instructions behind it, which have the same guard,
  // are skipped.
  uint32_t guard = kNoRegister;
  uint32_t skip = 1;
  uint32_t argument_count = 0;
  uint32_t constants = 0;  // bit i: argument i (of the first 32) is constant
  // After the registers, the bits of arguments 32 and on, a word for each 32 (see FinishArguments).
  const uint32_t* arguments = nullptr;
  const void* aux = nullptr;  // what the builtin prepared at compile time

  [[nodiscard]] bool IsConstant(std::size_t i) const {
    const uint32_t word = i < 32 ? constants : arguments[argument_count + i / 32 - 1];
    return ((word >> (i % 32)) & 1U) != 0;
  }
};

// Completes an instruction's list of registers: puts the bits of the arguments that are constant where IsConstant
// looks, in `*instruction` and behind the registers.
template <class IsConstant>
void FinishArguments(std::vector<uint32_t>* arguments, const IsConstant& is_constant,
                     Instruction* instruction) {
  const std::size_t count = arguments->size();
  arguments->resize(count + (count == 0 ? 0 : (count - 1) / 32));
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t bit = uint32_t{is_constant((*arguments)[i])} << (i % 32);
    (i < 32 ? instruction->constants : (*arguments)[count + i / 32 - 1]) |= bit;
  }
  instruction->argument_count = static_cast<uint32_t>(count);
  instruction->arguments = arguments->data();
}

// Typed access used by all kernels.
class Call {
 public:
  Call(const Instruction& instruction, Frame& frame) : instruction_(instruction), frame_(frame) {}

  [[nodiscard]] std::size_t n() const { return frame_.n; }
  // The row driver's length. Kernels on a serving path take the short way first: what a vector loop does around its
  // body costs more than one row.
  [[nodiscard]] bool is_row() const { return frame_.n == 1; }
  [[nodiscard]] std::size_t words() const { return frame_.words; }
  [[nodiscard]] std::size_t argument_count() const { return instruction_.argument_count; }
  [[nodiscard]] Register& argument(std::size_t i) const {
    return frame_.registers[instruction_.arguments[i]];
  }
  [[nodiscard]] Register& out() const { return frame_.registers[instruction_.out]; }
  [[nodiscard]] bool is_constant(std::size_t i) const { return instruction_.IsConstant(i); }
  [[nodiscard]] TextArena& arena() const { return *frame_.arena; }
  [[nodiscard]] EvalCounts& counts() const { return *frame_.counts; }
  template <class T>
  [[nodiscard]] const T* in(std::size_t i) const {
    return static_cast<const T*>(argument(i).data);
  }
  template <class T>
  [[nodiscard]] T* result() const {
    return static_cast<T*>(out().data);
  }
  template <class T>
  [[nodiscard]] const T& aux() const {
    return *static_cast<const T*>(instruction_.aux);
  }
  [[nodiscard]] const uint64_t* bits(std::size_t i) const { return in<uint64_t>(i); }
  [[nodiscard]] uint64_t valid_word(std::size_t i, std::size_t w) const {
    const uint64_t* valid = argument(i).valid;
    return valid == nullptr ? ~uint64_t{0} : valid[w];
  }
  [[nodiscard]] uint64_t bits_of_result(std::size_t w) const {
    return static_cast<const uint64_t*>(out().data)[w];
  }
  // The guard's bits, no others set; null when there is no guard.
  [[nodiscard]] const uint64_t* guard() const {
    if (instruction_.guard == kNoRegister) return nullptr;
    return static_cast<const uint64_t*>(frame_.registers[instruction_.guard].data);
  }
  // Rows of word `w` whose outcome is counted.
  [[nodiscard]] uint64_t active_word(std::size_t w) const {
    uint64_t active = w + 1 == frame_.words ? frame_.tail_mask : ~uint64_t{0};
    if (instruction_.guard != kNoRegister)
      active &= static_cast<const uint64_t*>(frame_.registers[instruction_.guard].data)[w];
    return active;
  }
  [[nodiscard]] std::size_t rows_in_word(std::size_t w) const {
    return w + 1 == frame_.words ? frame_.n - w * 64 : 64;
  }
  // The result is valid where argument `i` (and `j`) is.
  void ValidLike(std::size_t i) const { CopyValid(argument(i).valid); }
  void ValidLike(std::size_t i, std::size_t j) const {
    const uint64_t* a = argument(i).valid;
    const uint64_t* b = argument(j).valid;
    if (a == nullptr || b == nullptr) return CopyValid(a == nullptr ? b : a);
    uint64_t* to = out().storage;
    if (words() == 1) {
      to[0] = a[0] & b[0];
    } else {
      for (std::size_t w = 0; w < words(); ++w) to[w] = a[w] & b[w];
    }
    out().valid = to;
  }
  void AllValid() const { out().valid = nullptr; }
  // Results written word by word, some null for a rule's sake.
  [[nodiscard]] uint64_t* BeginValid() const {
    out().valid = out().storage;
    return out().storage;
  }
  // Of the rows `valid` in word `w`, those in `bad` become null and are counted in `*cause`.
  uint64_t Reject(std::size_t w, uint64_t valid, uint64_t bad, int64_t* cause) const {
    if ((bad & valid) != 0) *cause += std::popcount(bad & valid & active_word(w));
    return valid & ~bad;
  }

 private:
  void CopyValid(const uint64_t* from) const {
    if (from == nullptr) return AllValid();
    uint64_t* to = out().storage;
    if (words() == 1) {
      to[0] = from[0];
    } else {
      for (std::size_t w = 0; w < words(); ++w) to[w] = from[w];
    }
    out().valid = to;
  }
  const Instruction& instruction_;
  Frame& frame_;
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
