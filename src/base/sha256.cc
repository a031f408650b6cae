#include "larder/base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::array<uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t BigEndian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24U | uint32_t{bytes[1]} << 16U | uint32_t{bytes[2]} << 8U | bytes[3];
}

void AppendHex(uint64_t number, unsigned digits, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (unsigned i = digits; i-- > 0;) out->push_back(kDigits[(number >> (4 * i)) & 15U]);
}

// False when `text` does not begin with so many lower-case hex digits.
bool TakeHex(std::string_view* text, std::size_t digits, uint64_t* number) {
  if (text->size() < digits) return false;
  *number = 0;
  for (const char c : text->substr(0, digits)) {
    const bool is_letter = c >= 'a' && c <= 'f';
    if (!is_letter && (c < '0' || c > '9')) return false;
    *number = *number << 4U | static_cast<uint64_t>(is_letter ? c - 'a' + 10 : c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

}  // namespace

void Sha256::AddBlock(const unsigned char* block) {
  std::array<uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) w[i] = BigEndian(block + 4 * i);
  for (std::size_t i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3U);
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10U);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::array<uint32_t, 8> add = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += add[i];
}

void Sha256::Add(std::string_view bytes) {
  size_ += bytes.size();
  if (partial_size_ > 0) {
    const std::size_t size = std::min(kBlockSize - partial_size_, bytes.size());
    std::memcpy(partial_.data() + partial_size_, bytes.data(), size);
    partial_size_ += size;
    bytes.remove_prefix(size);
    if (partial_size_ < kBlockSize) return;
    AddBlock(partial_.data());
    partial_size_ = 0;
  }
  while (bytes.size() >= kBlockSize) {
    AddBlock(reinterpret_cast<const unsigned char*>(bytes.data()));
    bytes.remove_prefix(kBlockSize);
  }
  if (!bytes.empty()) std::memcpy(partial_.data(), bytes.data(), bytes.size());
  partial_size_ = bytes.size();
}

std::string Sha256::Finish() {
  const uint64_t bits = size_ * 8;
  std::string tail(1, '\x80');
  tail.resize(1 + (kBlockSize + 55 - partial_size_) % kBlockSize, '\0');
  for (int shift = 56; shift >= 0; shift -= 8)
    tail.push_back(static_cast<char>((bits >> static_cast<unsigned>(shift)) & 0xFFU));
  Add(tail);
  std::string hex;
  for (const uint32_t word : state_) AppendHex(word, 8, &hex);
  return hex;
}

std::string Sha256::Save() const {
  std::string hex;
  for (const uint32_t word : state_) AppendHex(word, 8, &hex);
  AppendHex(size_, 16, &hex);
  for (std::size_t i = 0; i < partial_size_; ++i) AppendHex(partial_[i], 2, &hex);
  return hex;
}

std::optional<Sha256> Sha256::Restore(std::string_view saved) {
  Sha256 hash;
  uint64_t number = 0;
  for (uint32_t& word : hash.state_) {
    if (!TakeHex(&saved, 8, &number)) return std::nullopt;
    word = static_cast<uint32_t>(number);
  }
  if (!TakeHex(&saved, 16, &hash.size_)) return std::nullopt;
  hash.partial_size_ = hash.size_ % kBlockSize;
  for (std::size_t i = 0; i < hash.partial_size_; ++i) {
    if (!TakeHex(&saved, 2, &number)) return std::nullopt;
    hash.partial_[i] = static_cast<unsigned char>(number);
  }
  if (!saved.empty()) return std::nullopt;
  return hash;
}

}  // namespace larder::inline LARDER_ABI
