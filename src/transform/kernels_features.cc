// Functions that turn values into model features: stable hashes and buckets, boundaries, vocabularies, one-hot vectors.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "larder/base/hash.h"
#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kFloat = TypeId::kFloat64;
constexpr TypeId kText = TypeId::kString;

// --- hashing: XXH3 of the value's eight little-endian bytes or of the text's bytes ---------------------------------------
uint64_t HashWord(uint64_t bits) {
  char bytes[8];
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
  return Hash64({bytes, 8});
}
struct HashNumber {
  static uint64_t Do(uint64_t bits) { return HashWord(bits); }
};
// Equal numbers hash alike: -0 as 0, every NaN as one.
struct HashFloat {
  static uint64_t Do(double x) {
    if (ieee::IsNan(x)) x = std::numeric_limits<double>::quiet_NaN();
    return HashWord(ieee::Bits(x == 0 ? 0.0 : x));
  }
};
template <class A, class Op>
void HashRows(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  auto* out = call.result<uint64_t>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = Op::Do(a[i]);
  call.ValidLike(0);
}
void HashText(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<uint64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    return out[i] = Hash64({a[i].data, a[i].size}), true;
  });
}
void HashBool(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  auto* out = call.result<uint64_t>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = HashWord((a[i / 64] >> (i % 64)) & 1U);
  call.ValidLike(0);
}
struct CombineHashes {
  static uint64_t Do(uint64_t a, uint64_t b) {
    char bytes[16];
    for (unsigned i = 0; i < 8; ++i) {
      bytes[i] = static_cast<char>(a >> (8 * i));
      bytes[8 + i] = static_cast<char>(b >> (8 * i));
    }
    return Hash64({bytes, 16});
  }
};

struct Buckets {
  uint64_t count = 1;
};
void Bucket(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t count = call.aux<Buckets>().count;
  const Argument<uint64_t> a(call, 0);
  auto* out = call.result<int64_t>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = static_cast<int64_t>(a[i] % count);
  call.ValidLike(0);
}
absl::StatusOr<Prepared> PrepareBuckets(const PrepareContext& context) {
  const Constant* count = context.arguments[1].constant;
  if (count == nullptr || !count->valid || count->i64 < 1)
    return InvalidArgumentError("the number of buckets must be a constant above 0");
  Prepared prepared;
  prepared.aux = std::make_shared<const Buckets>(Buckets{static_cast<uint64_t>(count->i64)});
  prepared.aux_key = Concat(count->i64);
  prepared.run_arguments = 1;
  return prepared;
}

// --- boundaries ----------------------------------------------------------------------------------------------------------
struct Boundaries {
  std::vector<double> values;
};
absl::StatusOr<Prepared> PrepareBoundaries(const PrepareContext& context) {
  const Constant* list = context.arguments[1].constant;
  if (list == nullptr || !list->valid || list->items.empty())
    return InvalidArgumentError("the boundaries must be a list of constants such as [0, 10, 100]");
  auto boundaries = std::make_shared<Boundaries>();
  const bool integers = context.arguments[1].type.element() == kInt;
  for (const Constant& item : list->items) {
    const double value = integers ? static_cast<double>(item.i64) : item.f64;
    if (!item.valid || ieee::IsNan(value) ||
        (!boundaries->values.empty() && boundaries->values.back() >= value)) {
      return InvalidArgumentError("the boundaries must ascend, without null or NaN");
    }
    boundaries->values.push_back(value);
  }
  Prepared prepared;
  prepared.aux_key = list->Key();
  prepared.aux = std::move(boundaries);
  prepared.run_arguments = 1;
  return prepared;
}
// How many boundaries are at or below x; NaN is above all.
void Bucketize(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::vector<double>& boundaries = call.aux<Boundaries>().values;
  const Argument<double> a(call, 0);
  auto* out = call.result<int64_t>();
  for (std::size_t i = 0; i < call.n(); ++i) {
    const double x = a[i];
    const auto at = ieee::IsNan(x) ? boundaries.end()
                                   : std::upper_bound(boundaries.begin(), boundaries.end(), x);
    out[i] = at - boundaries.begin();
  }
  call.ValidLike(0);
}

// --- vocabularies --------------------------------------------------------------------------------------------------------
struct Vocabulary {
  std::map<std::string, int64_t, std::less<>> texts;
  std::map<int64_t, int64_t> numbers;
  int64_t size = 0;
  int64_t IndexOf(TextRef text) const {
    const auto at = texts.find(std::string_view(text.data, text.size));
    return at == texts.end() ? size : at->second;
  }
  int64_t IndexOf(int64_t number) const {
    const auto at = numbers.find(number);
    return at == numbers.end() ? size : at->second;
  }
};
absl::StatusOr<Prepared> PrepareVocabulary(const PrepareContext& context) {
  const Constant* list = context.arguments[1].constant;
  if (list == nullptr || !list->valid || list->items.empty())
    return InvalidArgumentError("the vocabulary must be a list of constants such as ['a', 'b']");
  auto vocabulary = std::make_shared<Vocabulary>();
  const bool texts = context.arguments[1].type.element() == kText;
  for (const Constant& item : list->items) {
    if (!item.valid) return InvalidArgumentError("the vocabulary must not hold null");
    const bool fresh = texts ? vocabulary->texts.emplace(item.text, vocabulary->size).second
                             : vocabulary->numbers.emplace(item.i64, vocabulary->size).second;
    if (!fresh) return InvalidArgumentError("the vocabulary holds a word twice");
    ++vocabulary->size;
  }
  Prepared prepared;
  prepared.aux_key = list->Key();
  prepared.aux = std::move(vocabulary);
  prepared.run_arguments = 1;
  return prepared;
}
absl::StatusOr<Prepared> PrepareOneHot(const PrepareContext& context) {
  absl::StatusOr<Prepared> prepared = PrepareVocabulary(context);
  if (!prepared.ok()) return prepared;
  prepared->result = DataType::Vector(
      TypeId::kFloat32, static_cast<uint32_t>(context.arguments[1].constant->items.size()));
  return prepared;
}
template <class A>
void VocabularyIndex(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& vocabulary = call.aux<Vocabulary>();
  const Argument<A> a(call, 0);
  auto* out = call.result<int64_t>();
  ForValidRows(call, nullptr,
               [&](std::size_t i) { return out[i] = vocabulary.IndexOf(a[i]), true; });
}
template <class A>
void OneHot(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& vocabulary = call.aux<Vocabulary>();
  const Argument<A> a(call, 0);
  auto* out = call.result<const void*>();
  const std::size_t bytes = static_cast<std::size_t>(vocabulary.size) * sizeof(float);
  ForValidRows(call, nullptr, [&](std::size_t i) {
    char* to = call.arena().Allocate(bytes);
    std::memset(to, 0, bytes);
    const int64_t index = vocabulary.IndexOf(a[i]);
    const float one = 1;
    if (index < vocabulary.size)
      std::memcpy(to + static_cast<std::size_t>(index) * sizeof(float), &one, sizeof(float));
    out[i] = to;
    return true;
  });
}

}  // namespace

void AddFeatureMaking(BuiltinTable* table) {
  constexpr TypeId kUint = TypeId::kUint64;
  for (const TypeId type : {kInt, TypeId::kDate, TypeId::kTimestamp, TypeId::kDuration, kUint}) {
    table->Add({.name = "hash64",
                .parameters = {type},
                .result = kUint,
                .kernel = HashRows<uint64_t, HashNumber>});
  }
  table->Add({.name = "hash64",
              .parameters = {kFloat},
              .result = kUint,
              .kernel = HashRows<double, HashFloat>});
  table->Add({.name = "hash64", .parameters = {TypeId::kBool}, .result = kUint, .kernel = HashBool});
  for (const TypeId type : {kText, TypeId::kBytes}) {
    table->Add({.name = "hash64",
                .parameters = {type},
                .result = kUint,
                .kernel = HashText,
                .flags = kCostly});
  }
  table->Add({.name = "hash_combine",
              .parameters = {kUint, kUint},
              .result = kUint,
              .kernel = BinaryLoop<uint64_t, uint64_t, uint64_t, CombineHashes>});
  table->Add({.name = "bucket_of_hash",
              .parameters = {kUint, kInt},
              .result = kInt,
              .kernel = Bucket,
              .prepare = PrepareBuckets});

  for (const TypeId element : {kInt, kFloat}) {
    table->Add({.name = "bucketize",
                .parameters = {kFloat, DataType::List(element)},
                .result = kInt,
                .kernel = Bucketize,
                .prepare = PrepareBoundaries});
  }
  const auto vocabulary = [table](std::string_view name, TypeId type, DataType result,
                                  Kernel kernel, PrepareFunction prepare) {
    table->Add({.name = name,
                .parameters = {type, DataType::List(type)},
                .result = result,
                .kernel = kernel,
                .flags = kCostly,
                .prepare = prepare});
  };
  vocabulary("vocabulary_index", kText, kInt, VocabularyIndex<TextRef>, PrepareVocabulary);
  vocabulary("vocabulary_index", kInt, kInt, VocabularyIndex<int64_t>, PrepareVocabulary);
  vocabulary("one_hot", kText, DataType::Vector(TypeId::kFloat32, 1), OneHot<TextRef>,
             PrepareOneHot);
  vocabulary("one_hot", kInt, DataType::Vector(TypeId::kFloat32, 1), OneHot<int64_t>, PrepareOneHot);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
