#include "io/npy_format.h"

#include <bit>
#include <cstring>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they are in memory");

template <class T>
void AppendBytes(T value, std::string* out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

}  // namespace

std::string NpyHeader(std::string_view descr, std::span<const uint64_t> shape) {
  std::string text = Concat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (",
                            Join(shape, ", "), shape.size() == 1 ? ",)" : ")", ", }");
  constexpr std::size_t kBefore = 10;  // magic, version, length of the text
  LARDER_DCHECK(text.size() < kNpyHeaderSize - kBefore);
  text.resize(kNpyHeaderSize - kBefore - 1, ' ');
  std::string header("\x93NUMPY\x01\x00", 8);
  AppendBytes(static_cast<uint16_t>(text.size() + 1), &header);
  return Concat(header, text, '\n');
}

std::string_view FloatDescr(TypeId dtype) { return dtype == TypeId::kFloat32 ? "<f4" : "<f8"; }

void AppendFloats(const DenseBlock& block, TypeId dtype, std::string* out) {
  if (dtype == TypeId::kFloat32) {
    for (const double value : block.values) AppendBytes(static_cast<float>(value), out);
  } else {
    for (const double value : block.values) AppendBytes(value, out);
  }
}

}  // namespace larder::inline LARDER_ABI
