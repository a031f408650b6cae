// Comparisons, membership, greatest and least.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "larder/base/time.h"
#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

struct Equal {
  static constexpr Comparison kComparison = Comparison::kEqual;
  template <class T>
  static bool Do(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  static constexpr Comparison kComparison = Comparison::kNotEqual;
  template <class T>
  static bool Do(T a, T b) {
    return a != b;
  }
};
struct Less {
  static constexpr Comparison kComparison = Comparison::kLess;
  template <class T>
  static bool Do(T a, T b) {
    return a < b;
  }
};
struct LessEqual {
  static constexpr Comparison kComparison = Comparison::kLessEqual;
  template <class T>
  static bool Do(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  static constexpr Comparison kComparison = Comparison::kGreater;
  template <class T>
  static bool Do(T a, T b) {
    return a > b;
  }
};
struct GreaterEqual {
  static constexpr Comparison kComparison = Comparison::kGreaterEqual;
  template <class T>
  static bool Do(T a, T b) {
    return a >= b;
  }
};

// Integers of either signedness by value, never by conversion.
template <class Op>
struct Mixed {
  static bool Do(int64_t a, uint64_t b) {
    return a < 0 ? Op::Do(-1, 0) : Op::Do(static_cast<uint64_t>(a), b);
  }
  static bool Do(uint64_t a, int64_t b) {
    return b < 0 ? Op::Do(0, -1) : Op::Do(a, static_cast<uint64_t>(b));
  }
};

// A date is its midnight in UTC. Those that are no timestamp are before or after all of them.
template <class Op>
struct DateBesideTimestamp {
  static bool Do(int64_t days, int64_t us) {
    int64_t midnight = 0;
    if (__builtin_mul_overflow(days, kMicrosPerDay, &midnight)) return Op::Do(days, int64_t{0});
    return Op::Do(midnight, us);
  }
};
template <class Op>
struct TimestampBesideDate {
  static bool Do(int64_t us, int64_t days) {
    int64_t midnight = 0;
    if (__builtin_mul_overflow(days, kMicrosPerDay, &midnight)) return Op::Do(int64_t{0}, days);
    return Op::Do(us, midnight);
  }
};

// Bytes of UTF-8 order as their code points do.
int CompareText(TextRef a, TextRef b) {
  const std::size_t size = std::min(a.size, b.size);
  const int order = size == 0 ? 0 : std::memcmp(a.data, b.data, size);
  if (order != 0) return order;
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}
bool EqualText(TextRef a, TextRef b) {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}

template <class Op>
void CompareTexts(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t rows = call.valid_word(0, w) & call.valid_word(1, w) & call.active_word(w);
    uint64_t result = 0;
    ForEachSetBit(rows, [&](std::size_t j) {
      const TextRef x = a[64 * w + j];
      const TextRef y = b[64 * w + j];
      bool yes;
      if constexpr (std::is_same_v<Op, Equal>) {
        yes = EqualText(x, y);
      } else if constexpr (std::is_same_v<Op, NotEqual>) {
        yes = !EqualText(x, y);
      } else {
        yes = Op::Do(CompareText(x, y), 0);
      }
      result |= static_cast<uint64_t>(yes) << j;
    });
    out[w] = result;
  }
  call.ValidLike(0, 1);
}

template <class Op>
void AddComparison(BuiltinTable* table, std::string_view name) {
  const DataType kBool = TypeId::kBool;
  for (const TypeId type : {TypeId::kInt64, TypeId::kDate, TypeId::kTimestamp, TypeId::kDuration}) {
    table->Add({.name = name,
                .parameters = {type, type},
                .result = kBool,
                .kernel = PredicateLoop<int64_t, int64_t, Op>});
  }
  table->Add({.name = name,
              .parameters = {TypeId::kDate, TypeId::kTimestamp},
              .result = kBool,
              .kernel = PredicateLoop<int64_t, int64_t, DateBesideTimestamp<Op>>});
  table->Add({.name = name,
              .parameters = {TypeId::kTimestamp, TypeId::kDate},
              .result = kBool,
              .kernel = PredicateLoop<int64_t, int64_t, TimestampBesideDate<Op>>});
  constexpr TypeId kUint = TypeId::kUint64;
  table->Add({.name = name,
              .parameters = {kUint, kUint},
              .result = kBool,
              .kernel = PredicateLoop<uint64_t, uint64_t, Op>});
  table->Add({.name = name,
              .parameters = {TypeId::kInt64, kUint},
              .result = kBool,
              .kernel = PredicateLoop<int64_t, uint64_t, Mixed<Op>>});
  table->Add({.name = name,
              .parameters = {kUint, TypeId::kInt64},
              .result = kBool,
              .kernel = PredicateLoop<uint64_t, int64_t, Mixed<Op>>});
  table->Add({.name = name,
              .parameters = {TypeId::kFloat64, TypeId::kFloat64},
              .result = kBool,
              .kernel = PredicateLoop<double, double, Op>});
  for (const TypeId type : {TypeId::kString, TypeId::kBytes}) {
    table->Add({.name = name,
                .parameters = {type, type},
                .result = kBool,
                .kernel = CompareTexts<Op>,
                .flags = kCostly});
  }
}

// --- x in (...) ----------------------------------------------------------------------------------------------------
template <class T>
struct NumberSet {
  std::vector<T> items;  // sorted, distinct
  bool has_null = false;
};
struct TextSet {
  std::vector<std::string> items;  // sorted, distinct
  bool has_null = false;
};

// A row that matches nothing is null, not false, when the list has a null.
void SettleNull(const Call& call, bool has_null) {
  if (!has_null) return call.ValidLike(0);
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w)
    valid[w] = call.valid_word(0, w) & call.bits_of_result(w);
}

constexpr std::size_t kScanned = 8;

template <class T>
void InNumbers(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& set = call.aux<NumberSet<T>>();
  const Argument<T> a(call, 0);
  uint64_t* out = call.result<uint64_t>();
  const std::size_t size = set.items.size();
  const T* items = set.items.data();
  if (call.is_row()) {
    out[0] = static_cast<uint64_t>(size <= kScanned
                                       ? std::find(items, items + size, a[0]) != items + size
                                       : std::binary_search(items, items + size, a[0]));
    return SettleNull(call, set.has_null);
  }
  for (std::size_t w = 0; w < call.words(); ++w) {
    const T* x = a.data + a.stride * 64 * w;
    const std::size_t stride = a.stride;
    const std::size_t count = call.rows_in_word(w);
    if (size == 3 && stride == 1) {
      const T i0 = items[0];
      const T i1 = items[1];
      const T i2 = items[2];
      out[w] = PackPredicate(count, [=](std::size_t j) {
        return static_cast<unsigned>(x[j] == i0) | static_cast<unsigned>(x[j] == i1) |
               static_cast<unsigned>(x[j] == i2);
      });
    } else if (size <= kScanned) {
      uint64_t found = 0;
      for (std::size_t k = 0; k < size; ++k) {
        const T item = items[k];
        found |= PackPredicate(count,
                               [x, stride, item](std::size_t j) { return x[stride * j] == item; });
      }
      out[w] = found;
    } else {
      out[w] = PackPredicate(count, [&](std::size_t j) {
        return std::binary_search(items, items + size, x[stride * j]);
      });
    }
  }
  SettleNull(call, set.has_null);
}

void InTexts(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& set = call.aux<TextSet>();
  const Argument<TextRef> a(call, 0);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t found = 0;
    ForEachSetBit(call.valid_word(0, w) & call.active_word(w), [&](std::size_t j) {
      const TextRef x = a[64 * w + j];
      const std::string_view text(x.data, x.size);
      bool yes = false;
      if (set.items.size() <= kScanned) {
        for (const std::string& item : set.items)
          yes = yes || EqualText(x, {item.data(), item.size()});
      } else {
        yes = std::binary_search(set.items.begin(), set.items.end(), text, std::less<>());
      }
      found |= static_cast<uint64_t>(yes) << j;
    });
    out[w] = found;
  }
  SettleNull(call, set.has_null);
}

template <class Set, class Get>
std::shared_ptr<Set> BuildSet(std::span<const Constant> items, bool has_null, Get get) {
  auto set = std::make_shared<Set>();
  for (const Constant& item : items) set->items.push_back(get(item));
  std::sort(set->items.begin(), set->items.end());
  set->items.erase(std::unique(set->items.begin(), set->items.end()), set->items.end());
  set->has_null = has_null;
  return set;
}

// --- greatest, least -----------------------------------------------------------------------------------------------
// Nulls are skipped. NaN is greater than every number; equal values (0 and -0) give the first.
template <class T, bool kGreatest>
T Extreme(T a, T b) {
  bool second;
  if constexpr (std::is_same_v<T, double>) {
    second = kGreatest ? ieee::SortsBefore(a, b) : ieee::SortsBefore(b, a);
  } else if constexpr (std::is_same_v<T, TextRef>) {
    const int order = CompareText(a, b);
    second = kGreatest ? order < 0 : order > 0;
  } else {
    second = kGreatest ? a < b : b < a;
  }
  return second ? b : a;
}

template <class T, bool kGreatest>
void Extremes(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<T> a(call, 0);
  const Argument<T> b(call, 1);
  T* out = call.result<T>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const uint64_t va = call.valid_word(0, w);
    const uint64_t vb = call.valid_word(1, w);
    const auto settle = [&](std::size_t j) {
      const std::size_t i = 64 * w + j;
      const bool has_a = ((va >> j) & 1U) != 0;
      const bool has_b = ((vb >> j) & 1U) != 0;
      out[i] = has_a && has_b ? Extreme<T, kGreatest>(a[i], b[i]) : has_a ? a[i] : b[i];
    };
    valid[w] = va | vb;
    if constexpr (std::is_same_v<T, TextRef>) {
      // A row that the guard leaves out may hold the text of an earlier chunk: a branch that no row took did not run.
      valid[w] &= call.active_word(w);
      ForEachSetBit(valid[w], settle);
    } else {
      for (std::size_t j = 0; j < call.rows_in_word(w); ++j) settle(j);
    }
  }
}

}  // namespace

InSet MakeInSet(const DataType& type, std::span<const Constant> items, bool has_null) {
  InSet result;
  switch (StorageOf(type)) {
    case Storage::kI64:
      result.kernel = InNumbers<int64_t>;
      result.aux =
          BuildSet<NumberSet<int64_t>>(items, has_null, [](const Constant& c) { return c.i64; });
      break;
    case Storage::kU64:
      result.kernel = InNumbers<uint64_t>;
      result.aux =
          BuildSet<NumberSet<uint64_t>>(items, has_null, [](const Constant& c) { return c.u64; });
      break;
    case Storage::kF64: {
      std::vector<Constant> numbers;  // NaN equals nothing and would spoil the order
      for (const Constant& item : items) {
        if (!ieee::IsNan(item.f64)) numbers.push_back(item);
      }
      result.kernel = InNumbers<double>;
      result.aux =
          BuildSet<NumberSet<double>>(numbers, has_null, [](const Constant& c) { return c.f64; });
      break;
    }
    case Storage::kText:
      result.kernel = InTexts;
      result.aux = BuildSet<TextSet>(items, has_null, [](const Constant& c) { return c.text; });
      break;
    default:
      return result;
  }
  for (const Constant& item : items) result.key += item.Key();
  result.key += has_null ? "null" : "";
  return result;
}

Kernel ExtremeKernel(const DataType& type, bool greatest) {
  switch (StorageOf(type)) {
    case Storage::kI64:
      return greatest ? Extremes<int64_t, true> : Extremes<int64_t, false>;
    case Storage::kU64:
      return greatest ? Extremes<uint64_t, true> : Extremes<uint64_t, false>;
    case Storage::kF64:
      return greatest ? Extremes<double, true> : Extremes<double, false>;
    case Storage::kText:
      return greatest ? Extremes<TextRef, true> : Extremes<TextRef, false>;
    default:
      return nullptr;
  }
}

void AddComparisons(BuiltinTable* table) {
  AddComparison<Equal>(table, "eq");
  AddComparison<NotEqual>(table, "ne");
  AddComparison<Less>(table, "lt");
  AddComparison<LessEqual>(table, "le");
  AddComparison<Greater>(table, "gt");
  AddComparison<GreaterEqual>(table, "ge");
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
