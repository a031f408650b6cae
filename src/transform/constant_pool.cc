#include "transform/constant_pool.h"

#include <cstring>

#include "larder/column/validity.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr std::size_t kWords = BitWords(kChunkRows);

template <class T>
void PutItem(std::vector<unsigned char>* out, T value) {
  const std::size_t at = out->size();
  out->resize(at + sizeof(T));
  std::memcpy(out->data() + at, &value, sizeof(T));
}

}  // namespace

Register ConstantPool::Add(const DataType& type, const Constant& value) {
  Register result;
  const Storage storage = StorageOf(type);
  if (!value.valid) {
    words_.emplace_back(kWords, 0);
    result.valid = words_.back().data();
  }
  if (storage == Storage::kBits) {
    words_.emplace_back(kWords, value.valid && value.i64 != 0 ? ~uint64_t{0} : 0);
    result.data = words_.back().data();
    return result;
  }
  cells_.emplace_back();
  unsigned char* cell = cells_.back().bytes;
  std::memset(cell, 0, sizeof(Cell));
  result.data = cell;
  switch (storage) {
    case Storage::kBits:
      break;
    case Storage::kI64:
      std::memcpy(cell, &value.i64, 8);
      break;
    case Storage::kU64:
      std::memcpy(cell, &value.u64, 8);
      break;
    case Storage::kF64:
      std::memcpy(cell, &value.f64, 8);
      break;
    case Storage::kText: {
      texts_.push_back(value.text);
      const TextRef text = {texts_.back().data(), texts_.back().size()};
      std::memcpy(cell, &text, sizeof(text));
      break;
    }
    case Storage::kFixed:
    case Storage::kList: {
      items_.emplace_back();
      std::vector<unsigned char>& items = items_.back();
      std::vector<uint64_t> valid(BitWords(value.items.size()), 0);
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        const Constant& item = value.items[i];
        SetBit(valid.data(), i, item.valid);
        switch (type.element()) {
          case TypeId::kBool:
            PutItem(&items, static_cast<uint8_t>(item.i64 != 0));
            break;
          case TypeId::kInt8:
            PutItem(&items, static_cast<int8_t>(item.i64));
            break;
          case TypeId::kInt32:
          case TypeId::kDate:
            PutItem(&items, static_cast<int32_t>(item.i64));
            break;
          case TypeId::kUint64:
            PutItem(&items, item.u64);
            break;
          case TypeId::kFloat32:
            PutItem(&items, static_cast<float>(item.f64));
            break;
          case TypeId::kFloat64:
            PutItem(&items, item.f64);
            break;
          case TypeId::kString:
          case TypeId::kBytes:
            texts_.push_back(item.text);
            PutItem(&items, TextRef{texts_.back().data(), texts_.back().size()});
            break;
          default:
            PutItem(&items, item.i64);
            break;
        }
      }
      if (storage == Storage::kFixed) {
        const void* at = items.data();
        std::memcpy(cell, &at, sizeof(at));
        break;
      }
      words_.push_back(std::move(valid));
      const ListRef list = {items.data(), nullptr, words_.back().data(), 0, value.items.size()};
      std::memcpy(cell, &list, sizeof(list));
      break;
    }
  }
  return result;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
