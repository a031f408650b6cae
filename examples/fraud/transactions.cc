#include "examples/fraud/transactions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "larder/io/csv_reader.h"

namespace fraud {
namespace {

using larder::Batch;
using larder::Column;
using larder::TypeId;

}  // namespace

absl::StatusOr<std::vector<Transaction>> ReadTransactions(const std::string& file) {
  larder::Source source;
  source.name = "transactions";
  source.path = file;
  source.format.delimiter = '|';
  source.fields = {
      {"trans_num", TypeId::kString, "", ""},       {"cc_num", TypeId::kInt64, "", ""},
      {"at", TypeId::kTimestamp, "unix_time", "s"}, {"category", TypeId::kString, "", ""},
      {"merchant", TypeId::kString, "", ""},        {"amt", TypeId::kFloat64, "", ""},
      {"is_fraud", TypeId::kInt64, "", ""}};
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenCsv(source));
  LARDER_ASSIGN_OR_RETURN(const Batch table, larder::ReadAll(*reader));
  std::vector<Transaction> transactions;
  transactions.reserve(table.row_count());
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    transactions.push_back({std::string(table.Find("trans_num")->Text(row)),
                            table.Find("cc_num")->Values<int64_t>()[row],
                            larder::Timestamp{table.Find("at")->Values<int64_t>()[row]},
                            std::string(table.Find("category")->Text(row)),
                            std::string(table.Find("merchant")->Text(row)),
                            table.Find("amt")->Values<double>()[row],
                            table.Find("is_fraud")->Values<int64_t>()[row] != 0});
  }
  std::sort(transactions.begin(), transactions.end(),
            [](const Transaction& a, const Transaction& b) {
              return std::tie(a.at, a.id) < std::tie(b.at, b.id);
            });
  return transactions;
}

larder::Row EventOf(const Transaction& transaction) {
  return {{"trans_num", transaction.id},
          {"cc_num", transaction.card},
          {"at", transaction.at},
          {"category", transaction.category},
          {"merchant", transaction.merchant},
          {"amt", transaction.amount}};
}

absl::StatusOr<Batch> SpineOf(std::span<const Transaction> transactions) {
  Column cards(TypeId::kInt64);
  Column merchants(TypeId::kString);
  Column categories(TypeId::kString);
  Column amounts(TypeId::kFloat64);
  Column times(TypeId::kTimestamp);
  Column labels(TypeId::kBool);
  for (const Transaction& transaction : transactions) {
    cards.AppendFixed(transaction.card);
    merchants.AppendText(transaction.merchant);
    categories.AppendText(transaction.category);
    amounts.AppendFixed(transaction.amount);
    times.AppendFixed(transaction.at.us);
    labels.AppendFixed(static_cast<uint8_t>(transaction.is_fraud));
  }
  Batch batch;
  LARDER_RETURN_IF_ERROR(batch.AddColumn("cc_num", std::move(cards)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("merchant", std::move(merchants)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("category", std::move(categories)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("amt", std::move(amounts)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("asked_at", std::move(times)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("is_fraud", std::move(labels)));
  return batch;
}

}  // namespace fraud
