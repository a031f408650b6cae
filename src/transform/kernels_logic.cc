// Three-valued logic, choice and guards, a word of 64 rows at a time.
#include <type_traits>

#include "larder/column/validity.h"
#include "transform/builtin.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

void And(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  const uint64_t* b = call.bits(1);
  uint64_t* out = call.result<uint64_t>();
  if (call.argument(0).valid == nullptr && call.argument(1).valid == nullptr) {
    for (std::size_t w = 0; w < call.words(); ++w) out[w] = a[w] & b[w];
    return call.AllValid();
  }
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t va = call.valid_word(0, w);
    const uint64_t vb = call.valid_word(1, w);
    const uint64_t known_false = (va & ~a[w]) | (vb & ~b[w]);
    out[w] = va & vb & a[w] & b[w];
    valid[w] = (va & vb) | known_false;
  }
}

void Or(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  const uint64_t* b = call.bits(1);
  uint64_t* out = call.result<uint64_t>();
  if (call.argument(0).valid == nullptr && call.argument(1).valid == nullptr) {
    for (std::size_t w = 0; w < call.words(); ++w) out[w] = a[w] | b[w];
    return call.AllValid();
  }
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t va = call.valid_word(0, w);
    const uint64_t vb = call.valid_word(1, w);
    const uint64_t known_true = (va & a[w]) | (vb & b[w]);
    out[w] = known_true;
    valid[w] = (va & vb) | known_true;
  }
}

void Not(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = ~a[w];
  call.ValidLike(0);
}

void IsNull(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = ~call.valid_word(0, w);
  call.AllValid();
}

template <bool kWanted>
void IsBool(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w)
    out[w] = call.valid_word(0, w) & (kWanted ? a[w] : ~a[w]);
  call.AllValid();
}

template <bool kEqual>
void CompareBits(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  const uint64_t* b = call.bits(1);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = kEqual ? ~(a[w] ^ b[w]) : a[w] ^ b[w];
  call.ValidLike(0, 1);
}

// is_distinct(a, b, a = b): nulls are equal to each other.
void IsDistinct(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* equal = call.bits(2);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t va = call.valid_word(0, w);
    const uint64_t vb = call.valid_word(1, w);
    out[w] = (va ^ vb) | (va & vb & ~equal[w]);
  }
  call.AllValid();
}

// out = bit of `take` ? argument ia : argument ib.
template <class T>
void Blend(const Call& call, const uint64_t* take, std::size_t ia, std::size_t ib) {
  if (call.is_row()) {
    *call.result<T>() = *call.in<T>((take[0] & 1U) != 0 ? ia : ib);
    return;
  }
  const Argument<T> a(call, ia);
  const Argument<T> b(call, ib);
  T* out = call.result<T>();
  if constexpr (std::is_same_v<T, uint64_t>) {
    Choose(take, a.data, a.stride, b.data, b.stride, call.n(), out);
  } else {
    for (std::size_t i = 0; i < call.n(); ++i) out[i] = TestBit(take, i) ? a[i] : b[i];
  }
}

// T is void for bits.
template <class T>
void Select(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* condition = call.bits(0);
  uint64_t* valid = call.BeginValid();
  if constexpr (!std::is_void_v<T>) {
    if (call.is_row()) {
      const std::size_t taken = (condition[0] & call.valid_word(0, 0) & 1U) != 0 ? 1 : 2;
      *call.result<T>() = *call.in<T>(taken);
      valid[0] = call.valid_word(taken, 0);
      return;
    }
  }
  uint64_t takes[kChunkRows / 64];
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t take = takes[w] = condition[w] & call.valid_word(0, w);
    if constexpr (std::is_void_v<T>)
      call.result<uint64_t>()[w] = (take & call.bits(1)[w]) | (~take & call.bits(2)[w]);
    valid[w] = (take & call.valid_word(1, w)) | (~take & call.valid_word(2, w));
  }
  if constexpr (!std::is_void_v<T>) Blend<T>(call, takes, 1, 2);
}

template <class T>
void Coalesce(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  uint64_t* valid = call.BeginValid();
  uint64_t takes[kChunkRows / 64];
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t take = takes[w] = call.valid_word(0, w);
    if constexpr (std::is_void_v<T>)
      call.result<uint64_t>()[w] = (take & call.bits(0)[w]) | (~take & call.bits(1)[w]);
    valid[w] = take | call.valid_word(1, w);
  }
  if constexpr (!std::is_void_v<T>) Blend<T>(call, takes, 0, 1);
}

template <class T>
void NullIf(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* equal = call.bits(1);
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    valid[w] = call.valid_word(0, w) & ~(equal[w] & call.valid_word(1, w));
    if constexpr (std::is_void_v<T>) call.result<uint64_t>()[w] = call.bits(0)[w];
  }
  if constexpr (!std::is_void_v<T>) {
    const T* LARDER_RESTRICT a = call.in<T>(0);
    T* LARDER_RESTRICT out = call.result<T>();
    if (call.is_row()) {
      out[0] = a[0];
      return;
    }
    const std::size_t stride = call.is_constant(0) ? 0 : 1;
    for (std::size_t i = 0; i < call.n(); ++i) out[i] = a[stride * i];
  }
}

template <GuardKind kKind>
void Guard(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  uint64_t* out = call.result<uint64_t>();
  const auto rows = [&call](std::size_t w) LARDER_ALWAYS_INLINE {
    const uint64_t valid = call.valid_word(0, w);
    uint64_t word = ~valid;
    if constexpr (kKind != GuardKind::kNull) {
      const uint64_t bits = call.bits(0)[w];
      word = kKind == GuardKind::kTrue      ? bits & valid
             : kKind == GuardKind::kNotTrue ? ~(bits & valid)
                                            : bits | ~valid;
    }
    return call.argument_count() == 2 ? word & call.bits(1)[w] : word;
  };
  if (call.is_row()) {
    out[0] = rows(0) & 1U;
  } else {
    for (std::size_t w = 0; w < call.words(); ++w) out[w] = rows(w) & call.active_word(w);
  }
  call.AllValid();
}

template <template <class> class Family>
Kernel ByStorage(Storage storage) {
  switch (storage) {
    case Storage::kBits:
      return Family<void>::kernel;
    case Storage::kText:
      return Family<TextRef>::kernel;
    case Storage::kList:
      return Family<ListRef>::kernel;
    default:
      return Family<uint64_t>::kernel;
  }
}
template <class T>
struct SelectFamily {
  static constexpr Kernel kernel = Select<T>;
};
template <class T>
struct CoalesceFamily {
  static constexpr Kernel kernel = Coalesce<T>;
};
template <class T>
struct NullIfFamily {
  static constexpr Kernel kernel = NullIf<T>;
};

}  // namespace

Kernel SelectKernel(Storage storage) { return ByStorage<SelectFamily>(storage); }
Kernel CoalesceKernel(Storage storage) { return ByStorage<CoalesceFamily>(storage); }
Kernel NullIfKernel(Storage storage) { return ByStorage<NullIfFamily>(storage); }
Kernel IsNullKernel() { return IsNull; }
Kernel IsDistinctKernel() { return IsDistinct; }

Kernel GuardKernel(GuardKind kind) {
  switch (kind) {
    case GuardKind::kTrue:
      return Guard<GuardKind::kTrue>;
    case GuardKind::kNotTrue:
      return Guard<GuardKind::kNotTrue>;
    case GuardKind::kNotFalse:
      return Guard<GuardKind::kNotFalse>;
    case GuardKind::kNull:
      return Guard<GuardKind::kNull>;
  }
  return nullptr;
}

void AddLogic(BuiltinTable* table) {
  const DataType kBool = TypeId::kBool;
  table->Add({.name = "and",
              .parameters = {kBool, kBool},
              .result = kBool,
              .kernel = And,
              .branching = Branching::kAnd});
  table->Add({.name = "or",
              .parameters = {kBool, kBool},
              .result = kBool,
              .kernel = Or,
              .branching = Branching::kOr});
  table->Add({.name = "not", .parameters = {kBool}, .result = kBool, .kernel = Not});
  table->Add({.name = "is_true", .parameters = {kBool}, .result = kBool, .kernel = IsBool<true>});
  table->Add({.name = "is_false", .parameters = {kBool}, .result = kBool, .kernel = IsBool<false>});
  table->Add(
      {.name = "eq", .parameters = {kBool, kBool}, .result = kBool, .kernel = CompareBits<true>});
  table->Add(
      {.name = "ne", .parameters = {kBool, kBool}, .result = kBool, .kernel = CompareBits<false>});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
