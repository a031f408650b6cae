// Rows set aside in a file come back as they were, partition by partition.
#include "feature_store/batch_spill.h"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/random.h"

namespace {

using larder::Batch;
using larder::BatchSpill;
using larder::Column;
using larder::DataType;
using larder::TypeId;
using larder::Value;
using larder_test::Random;

Value RandomValue(Random& random, const DataType& type) {
  if (random.OneIn(4)) return {};
  const std::string text(static_cast<std::size_t>(random.Between(0, 9)), 'x');
  switch (type.id()) {
    case TypeId::kBool:
      return random.OneIn(2);
    case TypeId::kInt32:
      return static_cast<int32_t>(random.Between(-9, 9));
    case TypeId::kFloat64:
      return static_cast<double>(random.Between(-9, 9));
    case TypeId::kString:
      return text;
    case TypeId::kBytes:
      return larder::Bytes{text};
    case TypeId::kTimestamp:
      return larder::Timestamp{random.AnyInteger()};
    case TypeId::kVector:
      return std::vector<float>(type.length(), static_cast<float>(random.Between(0, 3)));
    case TypeId::kList: {
      larder::ListValue list;
      list.element = type.element();
      for (int64_t n = random.Between(0, 3); n > 0; --n)
        list.items.push_back(RandomValue(random, type.element()));
      return list;
    }
    case TypeId::kMap: {
      larder::MapValue map;
      map.value = type.element();
      for (int64_t n = random.Between(0, 3); n > 0; --n)
        map.items.emplace_back(std::string(1, static_cast<char>('d' - n)),
                               RandomValue(random, type.element()));
      return map;
    }
    default:
      return {};
  }
}

Batch Empty(const std::vector<DataType>& types) {
  Batch batch;
  for (std::size_t c = 0; c < types.size(); ++c)
    REQUIRE(batch.AddColumn(std::to_string(c), Column(types[c])).ok());
  return batch;
}

}  // namespace

TEST_CASE("rows set aside come back by partition, in their order", "[store][training][random]") {
  Random random;
  INFO(random.Describe());
  const std::vector<DataType> all = {TypeId::kBool,
                                     TypeId::kInt32,
                                     TypeId::kFloat64,
                                     TypeId::kString,
                                     TypeId::kBytes,
                                     TypeId::kTimestamp,
                                     DataType::Vector(TypeId::kFloat32, 3),
                                     DataType::List(TypeId::kInt32),
                                     DataType::List(TypeId::kString),
                                     DataType::Map(TypeId::kFloat64)};
  for (int round = 0; round < 40; ++round) {
    std::vector<DataType> types;
    for (int64_t n = random.Between(1, 5); n > 0; --n)
      types.push_back(all[static_cast<std::size_t>(random.Between(0, std::ssize(all) - 1))]);
    const auto partitions = static_cast<std::size_t>(random.Between(1, 7));
    auto spill =
        BatchSpill::Create("", partitions, static_cast<std::size_t>(random.Between(1, 50'000)));
    REQUIRE(spill.ok());
    std::vector<Batch> expected(partitions, Empty(types));
    for (int64_t batches = random.Between(0, 6); batches > 0; --batches) {
      Batch batch = Empty(types);
      std::vector<uint16_t> partition_of;
      for (int64_t n = random.Between(0, 150); n > 0; --n) {
        const auto p = static_cast<std::size_t>(random.Between(0, std::ssize(expected) - 1));
        partition_of.push_back(static_cast<uint16_t>(p));
        for (std::size_t c = 0; c < types.size(); ++c) {
          const Value value = RandomValue(random, types[c]);
          REQUIRE(batch.mutable_column(c).Append(value).ok());
          REQUIRE(expected[p].mutable_column(c).Append(value).ok());
        }
      }
      REQUIRE((*spill)->Add(std::move(batch), partition_of).ok());
    }
    REQUIRE((*spill)->Finish().ok());
    for (std::size_t p = 0; p < partitions; ++p) {
      BatchSpill::Reader reader = (*spill)->Read(p);
      Batch found = Empty(types);
      Batch block;
      while (true) {
        const auto more = reader.Next(&block);
        REQUIRE(more.ok());
        if (!*more) break;
        found.AppendRows(block);
      }
      REQUIRE((*spill)->rows(p) == expected[p].row_count());
      for (std::size_t c = 0; c < types.size(); ++c)
        REQUIRE(found.column(c) == expected[p].column(c));
    }
  }
}
