#include "larder/feature_store/receipt.h"

#include <algorithm>
#include <charconv>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

// Takes the next word off `text`; empty at its end.
std::string_view TakeWord(std::string_view* text) {
  const std::size_t end = std::min(text->find(' '), text->size());
  const std::string_view word = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return word;
}

// `name` and what stands behind it.
bool TakeNumber(std::string_view name, std::string_view* text, uint64_t* number) {
  if (TakeWord(text) != name) return false;
  const std::string_view word = TakeWord(text);
  const auto read = std::from_chars(word.data(), word.data() + word.size(), *number);
  return !word.empty() && read.ec == std::errc() && read.ptr == word.data() + word.size();
}
bool TakeInstant(std::string_view name, std::string_view* text, Timestamp* instant) {
  if (TakeWord(text) != name) return false;
  const absl::StatusOr<ParsedTimestamp> parsed = ParseTimestamp(TakeWord(text));
  if (parsed.ok()) *instant = parsed->value;
  return parsed.ok();
}

}  // namespace

std::string Receipt::ToString() const {
  std::string out = Concat(service, " revision ", revision, " commit ", commit_seq, " as_of ",
                           FormatTimestamp(as_of));
  if (known_at) out += Concat(" known_at ", FormatTimestamp(*known_at));
  if (staged > 0) out += Concat(" staged ", staged);
  return out;
}

absl::StatusOr<Receipt> Receipt::Parse(std::string_view text) {
  Receipt receipt;
  std::string_view rest = text;
  receipt.service = TakeWord(&rest);
  bool ok = !receipt.service.empty() && TakeNumber("revision", &rest, &receipt.revision) &&
            TakeNumber("commit", &rest, &receipt.commit_seq) &&
            TakeInstant("as_of", &rest, &receipt.as_of);
  if (ok && rest.starts_with("known_at "))
    ok = TakeInstant("known_at", &rest, &receipt.known_at.emplace());
  if (ok && !rest.empty()) ok = TakeNumber("staged", &rest, &receipt.staged) && rest.empty();
  if (!ok) {
    return InvalidArgumentError(Quoted(text), " is no receipt: expected ",
                                "`SERVICE revision N commit N as_of T`");
  }
  return receipt;
}

}  // namespace larder::inline LARDER_ABI
