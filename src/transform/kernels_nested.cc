// Lists and vectors: length, element, membership, sums and geometry. Sums run from first to last in float64, so that
// the bits do not depend on vector width.
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "larder/column/validity.h"
#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kFloat = TypeId::kFloat64;

template <class T>
T LoadItem(const void* base, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + i * sizeof(T), sizeof(T));
  return value;
}
bool ItemValid(const ListRef& list, std::size_t i) {
  return list.validity == nullptr || TestBit(list.validity, list.first + i);
}

TextRef TextItem(const ListRef& list, std::size_t i) {
  const std::size_t at = list.first + i;
  if (list.offsets == nullptr) return LoadItem<TextRef>(list.items, at);
  return {static_cast<const char*>(list.items) + list.offsets[at],
          static_cast<std::size_t>(list.offsets[at + 1] - list.offsets[at])};
}

struct VectorShape {
  std::size_t length = 0;
};
absl::StatusOr<Prepared> PrepareVectors(const PrepareContext& context) {
  Prepared prepared;
  const uint32_t length = context.arguments[0].type.length();
  for (const PrepareContext::ArgumentInfo& argument : context.arguments) {
    if (argument.type.id() == TypeId::kVector && argument.type.length() != length) {
      return InvalidArgumentError("the vectors have ", length, " and ", argument.type.length(),
                                  " elements");
    }
  }
  prepared.aux = std::make_shared<const VectorShape>(VectorShape{length});
  prepared.aux_key = Concat(length);
  return prepared;
}
absl::StatusOr<Prepared> PrepareNormalize(const PrepareContext& context) {
  absl::StatusOr<Prepared> prepared = PrepareVectors(context);
  if (prepared.ok()) prepared->result = context.arguments[0].type;
  return prepared;
}

// --- length --------------------------------------------------------------------------------------------------------
void ListLength(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  auto* out = call.result<int64_t>();
  ForValidRows(call, nullptr,
               [&](std::size_t i) { return out[i] = static_cast<int64_t>(a[i].size), true; });
}
void VectorLength(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto length = static_cast<int64_t>(call.aux<VectorShape>().length);
  auto* out = call.result<int64_t>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = length;
  call.ValidLike(0);
}

// --- element: from 1, negative from the end, null outside ------------------------------------------------------------
bool Place(int64_t index, std::size_t size, std::size_t* at) {
  if (index < 0) {
    if (index < -static_cast<int64_t>(size)) return false;
    *at = static_cast<std::size_t>(static_cast<int64_t>(size) + index);
    return true;
  }
  if (index == 0 || static_cast<uint64_t>(index) > size) return false;
  *at = static_cast<std::size_t>(index - 1);
  return true;
}

template <class Stored, class R>
R ReadItem(const ListRef& list, std::size_t at) {
  if constexpr (std::is_same_v<R, TextRef>) {
    return TextItem(list, at);
  } else {
    return static_cast<R>(LoadItem<Stored>(list.items, list.first + at));
  }
}

template <class Stored, class R>
void ListElement(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  const Argument<int64_t> index(call, 1);
  R* out = call.result<R>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    std::size_t at = 0;
    if (!Place(index[i], a[i].size, &at) || !ItemValid(a[i], at)) return false;
    out[i] = ReadItem<Stored, R>(a[i], at);
    return true;
  });
}
void BoolElement(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  const Argument<int64_t> index(call, 1);
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = 0;
  ForValidRows(call, nullptr, [&](std::size_t i) {
    std::size_t at = 0;
    if (!Place(index[i], a[i].size, &at) || !ItemValid(a[i], at)) return false;
    out[i / 64] |= static_cast<uint64_t>(LoadItem<uint8_t>(a[i].items, a[i].first + at) != 0)
                   << (i % 64);
    return true;
  });
}
template <class Stored, class R>
void VectorElement(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  const Argument<int64_t> index(call, 1);
  R* out = call.result<R>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    std::size_t at = 0;
    if (!Place(index[i], length, &at)) return false;
    out[i] = static_cast<R>(LoadItem<Stored>(a[i], at));
    return true;
  });
}

// --- membership ------------------------------------------------------------------------------------------------------
// Numbers as `=` compares them: integers of either signedness by value, an integer and a float as floats.
template <class A, class B>
bool SameItem(A a, B b) {
  if constexpr (std::is_same_v<A, TextRef>) {
    return std::string_view(a.data, a.size) == std::string_view(b.data, b.size);
  } else if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    return std::cmp_equal(a, b);
  } else {
    return static_cast<double>(a) == static_cast<double>(b);
  }
}

template <class Stored, class R, class Wanted>
void ListContains(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  const Argument<Wanted> wanted(call, 1);
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = 0;
  ForValidRows(call, nullptr, [&](std::size_t i) {
    for (std::size_t k = 0; k < a[i].size; ++k) {
      if (!ItemValid(a[i], k)) continue;
      if (SameItem(ReadItem<Stored, R>(a[i], k), wanted[i]))
        return out[i / 64] |= uint64_t{1} << (i % 64), true;
    }
    return true;
  });
}

// --- sum, mean, min, max: nulls are skipped, nothing left gives null ---------------------------------------------------
enum class Fold { kSum, kMean, kMin, kMax };

template <class Each>
bool FoldFloats(Fold fold, std::size_t size, Each each, double* out) {
  double total = 0;
  std::size_t count = 0;
  for (std::size_t k = 0; k < size; ++k) {
    double x;
    if (!each(k, &x)) continue;
    if (fold == Fold::kSum || fold == Fold::kMean) {
      total += x;
    } else if (count == 0 ||
               (fold == Fold::kMin ? ieee::SortsBefore(x, total) : ieee::SortsBefore(total, x))) {
      total = x;
    }
    ++count;
  }
  *out = fold == Fold::kMean ? total / static_cast<double>(count) : total;
  return count != 0;
}

template <class Stored, Fold kFold>
void FoldFloatList(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  auto* out = call.result<double>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    return FoldFloats(
        kFold, a[i].size,
        [&](std::size_t k, double* x) {
          *x = static_cast<double>(LoadItem<Stored>(a[i].items, a[i].first + k));
          return ItemValid(a[i], k);
        },
        &out[i]);
  });
}
template <class Stored, Fold kFold>
void FoldVector(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  auto* out = call.result<double>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    return FoldFloats(
        kFold, length,
        [&](std::size_t k, double* x) {
          *x = static_cast<double>(LoadItem<Stored>(a[i], k));
          return true;
        },
        &out[i]);
  });
}
__extension__ using Int128 = __int128;

// Integers exactly: a sum that leaves int64, or uint64, is null, counted.
template <class Stored, class R, Fold kFold>
void FoldIntList(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  auto* out = call.result<R>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    Int128 total = 0;
    std::size_t count = 0;
    for (std::size_t k = 0; k < a[i].size; ++k) {
      if (!ItemValid(a[i], k)) continue;
      const Int128 x = LoadItem<Stored>(a[i].items, a[i].first + k);
      if (kFold == Fold::kSum) {
        total += x;
      } else if (count == 0 || (kFold == Fold::kMin ? x < total : x > total)) {
        total = x;
      }
      ++count;
    }
    if (count == 0) return false;
    out[i] = static_cast<R>(total);
    if (total == out[i]) return true;
    ++call.counts().overflow;
    return false;
  });
}
template <Fold kFold>
void FoldTextList(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<ListRef> a(call, 0);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = {nullptr, 0};
    bool found = false;
    std::string_view best;
    for (std::size_t k = 0; k < a[i].size; ++k) {
      if (!ItemValid(a[i], k)) continue;
      const TextRef item = TextItem(a[i], k);
      const std::string_view text(item.data, item.size);
      if (found && (kFold == Fold::kMin ? text >= best : text <= best)) continue;
      found = true;
      best = text;
      out[i] = item;
    }
    return found;
  });
}

// --- geometry ----------------------------------------------------------------------------------------------------------
double Dot(const void* a, const void* b, std::size_t length) {
  double total = 0;
  for (std::size_t k = 0; k < length; ++k)
    total += static_cast<double>(LoadItem<float>(a, k)) * static_cast<double>(LoadItem<float>(b, k));
  return total;
}
double Norm(const void* a, std::size_t length) { return __builtin_sqrt(Dot(a, a, length)); }

void DotProduct(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  const Argument<const void*> b(call, 1);
  auto* out = call.result<double>();
  ForValidRows(call, nullptr, [&](std::size_t i) { return out[i] = Dot(a[i], b[i], length), true; });
}
void Cosine(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  const Argument<const void*> b(call, 1);
  auto* out = call.result<double>();
  ForValidRows(call, &call.counts().domain, [&](std::size_t i) {
    const double norms = Norm(a[i], length) * Norm(b[i], length);
    out[i] = Dot(a[i], b[i], length) / norms;
    return norms != 0;
  });
}
void Distance(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  const Argument<const void*> b(call, 1);
  auto* out = call.result<double>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    double total = 0;
    for (std::size_t k = 0; k < length; ++k) {
      const double difference = static_cast<double>(LoadItem<float>(a[i], k)) -
                                static_cast<double>(LoadItem<float>(b[i], k));
      total += difference * difference;
    }
    out[i] = __builtin_sqrt(total);
    return true;
  });
}
void Length2(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  auto* out = call.result<double>();
  ForValidRows(call, nullptr, [&](std::size_t i) { return out[i] = Norm(a[i], length), true; });
}
void Normalize(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t length = call.aux<VectorShape>().length;
  const Argument<const void*> a(call, 0);
  auto* out = call.result<const void*>();
  ForValidRows(call, &call.counts().domain, [&](std::size_t i) {
    const double norm = Norm(a[i], length);
    char* to = call.arena().Allocate(length * sizeof(float));
    for (std::size_t k = 0; k < length; ++k) {
      float value = static_cast<float>(static_cast<double>(LoadItem<float>(a[i], k)) / norm);
      if (value != value) value = std::numeric_limits<float>::quiet_NaN();
      std::memcpy(to + k * sizeof(float), &value, sizeof(float));
    }
    out[i] = to;
    return norm != 0;
  });
}

DataType List(TypeId element) { return DataType::List(element); }

template <class Stored>
void AddFloatList(BuiltinTable* table, TypeId element) {
  table->Add({.name = "list_sum",
              .parameters = {List(element)},
              .result = kFloat,
              .kernel = FoldFloatList<Stored, Fold::kSum>,
              .flags = kCostly});
  table->Add({.name = "list_min",
              .parameters = {List(element)},
              .result = kFloat,
              .kernel = FoldFloatList<Stored, Fold::kMin>,
              .flags = kCostly});
  table->Add({.name = "list_max",
              .parameters = {List(element)},
              .result = kFloat,
              .kernel = FoldFloatList<Stored, Fold::kMax>,
              .flags = kCostly});
}
template <class Stored, class R>
void AddIntExtremes(BuiltinTable* table, TypeId element, TypeId result) {
  table->Add({.name = "list_min",
              .parameters = {List(element)},
              .result = result,
              .kernel = FoldIntList<Stored, R, Fold::kMin>,
              .flags = kCostly});
  table->Add({.name = "list_max",
              .parameters = {List(element)},
              .result = result,
              .kernel = FoldIntList<Stored, R, Fold::kMax>,
              .flags = kCostly});
}
template <class Stored, class R>
void AddIntList(BuiltinTable* table, TypeId element, TypeId result) {
  table->Add({.name = "list_sum",
              .parameters = {List(element)},
              .result = result,
              .kernel = FoldIntList<Stored, R, Fold::kSum>,
              .flags = kCostly | kFallible});
  AddIntExtremes<Stored, R>(table, element, result);
}
void AddTextList(BuiltinTable* table, TypeId element) {
  table->Add({.name = "list_min",
              .parameters = {List(element)},
              .result = element,
              .kernel = FoldTextList<Fold::kMin>,
              .flags = kCostly});
  table->Add({.name = "list_max",
              .parameters = {List(element)},
              .result = element,
              .kernel = FoldTextList<Fold::kMax>,
              .flags = kCostly});
}
template <class Stored, class R>
void AddElement(BuiltinTable* table, TypeId element, TypeId result) {
  table->Add(
      {.name = "length", .parameters = {List(element)}, .result = kInt, .kernel = ListLength});
  table->Add({.name = "element",
              .parameters = {List(element), kInt},
              .result = element,
              .kernel = ListElement<Stored, R>,
              .flags = kCostly});
  table->Add({.name = "list_contains",
              .parameters = {List(element), result},
              .result = TypeId::kBool,
              .kernel = ListContains<Stored, R, R>,
              .flags = kCostly});
}
template <class Stored, class R, class Wanted>
void AddMixedContains(BuiltinTable* table, TypeId element, TypeId wanted) {
  table->Add({.name = "list_contains",
              .parameters = {List(element), wanted},
              .result = TypeId::kBool,
              .kernel = ListContains<Stored, R, Wanted>,
              .flags = kCostly});
}
template <class Stored>
void AddMean(BuiltinTable* table, TypeId element) {
  table->Add({.name = "list_mean",
              .parameters = {List(element)},
              .result = kFloat,
              .kernel = FoldFloatList<Stored, Fold::kMean>,
              .flags = kCostly});
}
template <class Stored>
void AddVector(BuiltinTable* table, TypeId element) {
  const DataType vector = DataType::Vector(element, 0);
  const auto add = [&](std::string_view name, Kernel kernel) {
    table->Add({.name = name,
                .parameters = {vector},
                .result = kFloat,
                .kernel = kernel,
                .flags = kCostly,
                .prepare = PrepareVectors});
  };
  add("list_sum", FoldVector<Stored, Fold::kSum>);
  add("list_mean", FoldVector<Stored, Fold::kMean>);
  add("list_min", FoldVector<Stored, Fold::kMin>);
  add("list_max", FoldVector<Stored, Fold::kMax>);
  table->Add({.name = "length",
              .parameters = {vector},
              .result = kInt,
              .kernel = VectorLength,
              .prepare = PrepareVectors});
}

}  // namespace

void AddNested(BuiltinTable* table) {
  AddElement<int32_t, int64_t>(table, TypeId::kInt32, kInt);
  AddElement<int64_t, int64_t>(table, kInt, kInt);
  AddElement<uint64_t, uint64_t>(table, TypeId::kUint64, TypeId::kUint64);
  AddElement<float, double>(table, TypeId::kFloat32, kFloat);
  AddElement<double, double>(table, kFloat, kFloat);
  AddElement<TextRef, TextRef>(table, TypeId::kString, TypeId::kString);
  AddElement<TextRef, TextRef>(table, TypeId::kBytes, TypeId::kBytes);
  AddElement<int32_t, int64_t>(table, TypeId::kDate, TypeId::kDate);
  AddElement<int64_t, int64_t>(table, TypeId::kTimestamp, TypeId::kTimestamp);
  AddElement<int64_t, int64_t>(table, TypeId::kDuration, TypeId::kDuration);
  table->Add(
      {.name = "length", .parameters = {List(TypeId::kBool)}, .result = kInt, .kernel = ListLength});
  table->Add({.name = "element",
              .parameters = {List(TypeId::kBool), kInt},
              .result = TypeId::kBool,
              .kernel = BoolElement,
              .flags = kCostly});
  AddMixedContains<int32_t, int64_t, uint64_t>(table, TypeId::kInt32, TypeId::kUint64);
  AddMixedContains<int64_t, int64_t, uint64_t>(table, kInt, TypeId::kUint64);
  AddMixedContains<uint64_t, uint64_t, int64_t>(table, TypeId::kUint64, kInt);
  AddMixedContains<int32_t, int64_t, double>(table, TypeId::kInt32, kFloat);
  AddMixedContains<int64_t, int64_t, double>(table, kInt, kFloat);
  AddMixedContains<uint64_t, uint64_t, double>(table, TypeId::kUint64, kFloat);
  AddIntList<int32_t, int64_t>(table, TypeId::kInt32, kInt);
  AddIntList<int64_t, int64_t>(table, kInt, kInt);
  AddIntList<uint64_t, uint64_t>(table, TypeId::kUint64, TypeId::kUint64);
  AddIntList<int64_t, int64_t>(table, TypeId::kDuration, TypeId::kDuration);
  AddIntExtremes<int32_t, int64_t>(table, TypeId::kDate, TypeId::kDate);
  AddIntExtremes<int64_t, int64_t>(table, TypeId::kTimestamp, TypeId::kTimestamp);
  AddTextList(table, TypeId::kString);
  AddTextList(table, TypeId::kBytes);
  AddFloatList<float>(table, TypeId::kFloat32);
  AddFloatList<double>(table, kFloat);
  AddMean<int32_t>(table, TypeId::kInt32);
  AddMean<int64_t>(table, kInt);
  AddMean<uint64_t>(table, TypeId::kUint64);
  AddMean<float>(table, TypeId::kFloat32);
  AddMean<double>(table, kFloat);
  AddVector<float>(table, TypeId::kFloat32);
  AddVector<int8_t>(table, TypeId::kInt8);

  const DataType vector = DataType::Vector(TypeId::kFloat32, 0);
  table->Add({.name = "element",
              .parameters = {vector, kInt},
              .result = TypeId::kFloat32,
              .kernel = VectorElement<float, double>,
              .flags = kCostly,
              .prepare = PrepareVectors});
  table->Add({.name = "element",
              .parameters = {DataType::Vector(TypeId::kInt8, 0), kInt},
              .result = TypeId::kInt32,
              .kernel = VectorElement<int8_t, int64_t>,
              .flags = kCostly,
              .prepare = PrepareVectors});
  table->Add({.name = "dot",
              .parameters = {vector, vector},
              .result = kFloat,
              .kernel = DotProduct,
              .flags = kCostly,
              .prepare = PrepareVectors});
  table->Add({.name = "cosine",
              .parameters = {vector, vector},
              .result = kFloat,
              .kernel = Cosine,
              .flags = kCostly | kFallible,
              .prepare = PrepareVectors});
  table->Add({.name = "l2_distance",
              .parameters = {vector, vector},
              .result = kFloat,
              .kernel = Distance,
              .flags = kCostly,
              .prepare = PrepareVectors});
  table->Add({.name = "l2_norm",
              .parameters = {vector},
              .result = kFloat,
              .kernel = Length2,
              .flags = kCostly,
              .prepare = PrepareVectors});
  table->Add({.name = "normalize",
              .parameters = {vector},
              .result = vector,
              .kernel = Normalize,
              .flags = kCostly | kFallible,
              .prepare = PrepareNormalize});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
