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

// `name` and a number behind it.
template <class Number>
bool TakeNumber(std::string_view name, std::string_view* text, Number* number) {
  if (TakeWord(text) != name) return false;
  const std::string_view word = TakeWord(text);
  const auto read = std::from_chars(word.data(), word.data() + word.size(), *number);
  return !word.empty() && read.ec == std::errc() && read.ptr == word.data() + word.size();
}

}  // namespace

std::string Receipt::ToString() const {
  std::string out = Concat(service, " revision ", revision, " commit ", commit_seq, " as_of ",
                           FormatTimestamp(as_of));
  if (staged > 0) out += Concat(" staged ", staged);
  return out;
}

absl::StatusOr<Receipt> Receipt::Parse(std::string_view text) {
  Receipt receipt;
  std::string_view rest = text;
  receipt.service = TakeWord(&rest);
  bool ok = !receipt.service.empty() && TakeNumber("revision", &rest, &receipt.revision) &&
            TakeNumber("commit", &rest, &receipt.commit_seq) && TakeWord(&rest) == "as_of";
  if (ok) {
    const absl::StatusOr<ParsedTimestamp> as_of = ParseTimestamp(TakeWord(&rest));
    ok = as_of.ok();
    if (ok) receipt.as_of = as_of->value;
  }
  if (ok && !rest.empty()) ok = TakeNumber("staged", &rest, &receipt.staged) && rest.empty();
  if (!ok) {
    return InvalidArgumentError(Quoted(text), " is no receipt: expected ",
                                "`service revision N commit N as_of T`");
  }
  return receipt;
}

}  // namespace larder::inline LARDER_ABI
