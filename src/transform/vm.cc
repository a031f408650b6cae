#include "transform/vm.h"

#include <algorithm>
#include <new>

#include "larder/column/validity.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace transform {

void TextArena::Join() {
  blocks_.clear();
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(total_));
}

void TextArena::Clear() {
  blocks_.clear();
  total_ = room_ = 0;
  next_ = nullptr;
  exhausted_ = false;
}

void TextArena::Grow(std::size_t size) {
  const std::size_t block = std::max({size, total_, std::size_t{4096}});
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
  next_ = blocks_.back().get();
  room_ = block;
  total_ += block;
  exhausted_ = total_ > budget_;
}

namespace {
constexpr std::size_t kAlignment = 64;
std::size_t Aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
}  // namespace

void Scratch::Free::operator()(std::byte* block) const {
  ::operator delete (block, std::align_val_t{kAlignment});
}

Scratch::Scratch(const ProgramImpl& program, std::size_t capacity) {
  // One row needs little: registers lie 8 bytes apart so that a whole row stays in a few cache lines.
  const std::size_t alignment = capacity == 1 ? 8 : kAlignment;
  const auto room = [alignment](std::size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
  };
  const std::size_t words = BitWords(capacity) * sizeof(uint64_t);
  std::size_t total = 0;
  for (const RegisterPlan& plan : program.registers) {
    if (plan.constant) continue;
    total += room(words) +
             room(plan.storage == Storage::kBits ? words : StorageBytes(plan.storage) * capacity);
  }
  total = Aligned(total + 1);
  memory.reset(static_cast<std::byte*>(::operator new (total, std::align_val_t{kAlignment})));
  std::fill_n(memory.get(), total, std::byte{0});
  std::byte* at = memory.get();
  for (const RegisterPlan& plan : program.registers) {
    Register slot = plan.fixed;
    if (!plan.constant) {
      slot.storage = reinterpret_cast<uint64_t*>(at);
      at += room(words);
      slot.data = at;
      slot.valid = slot.storage;
      at += room(plan.storage == Storage::kBits ? words : StorageBytes(plan.storage) * capacity);
    }
    registers.push_back(slot);
  }
  own = registers;
}

bool Scratch::Run(const ProgramImpl& program, std::size_t n) {
  Frame frame;
  frame.registers = registers.data();
  frame.n = n;
  frame.words = BitWords(n);
  frame.tail_mask = n % 64 == 0 ? ~uint64_t{0} : (uint64_t{1} << (n % 64)) - 1;
  frame.arena = &arena;
  frame.counts = &counts;
  const Instruction* const end = program.instructions.data() + program.instructions.size();
  for (const Instruction* at = program.instructions.data(); at != end;) {
    if (at->guard != kNoRegister) {
      const auto* rows = static_cast<const uint64_t*>(registers[at->guard].data);
      uint64_t any = 0;
      for (std::size_t w = 0; w < frame.words; ++w) any |= rows[w];
      if (any == 0) {
        at += at->skip;
        continue;
      }
    }
    at->kernel(*at, frame);
    if (arena.exhausted()) return false;
    ++at;
  }
  return true;
}

void Scratch::RunRow(const ProgramImpl& program) {
  Frame frame = {registers.data(), 1, 1, 1, &arena, &counts};
  const Instruction* const end = program.instructions.data() + program.instructions.size();
  for (const Instruction* at = program.instructions.data(); at != end;) {
    if (at->guard != kNoRegister &&
        (*static_cast<const uint64_t*>(frame.registers[at->guard].data) & 1U) == 0) {
      at += at->skip;
      continue;
    }
    at->kernel(*at, frame);
    ++at;
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
