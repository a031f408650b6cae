#include "examples/recommendation/baskets.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "larder/base/text.h"
#include "larder/io/csv_reader.h"
#include "larder/io/csv_writer.h"

namespace recommendation {
namespace {

using larder::Batch;
using larder::Column;
using larder::Field;
using larder::TypeId;

absl::StatusOr<Batch> ReadTable(const std::string& file) {
  larder::Source source;
  source.name = "transactions";
  source.path = file;
  source.fields = {{"household_id", TypeId::kInt64, "", ""},
                   {"basket_id", TypeId::kString, "", ""},
                   {"product_id", TypeId::kString, "", ""},
                   {"quantity", TypeId::kFloat64, "", ""},
                   {"sales_value", TypeId::kFloat64, "", ""},
                   {"transaction_timestamp", TypeId::kTimestamp, "", ""}};
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenCsv(source));
  return larder::ReadAll(*reader);
}

// What a till keeps in its head.
struct Till {
  std::map<int64_t, std::pair<int64_t, double>> households;  // baskets, spent
  std::map<std::string, int64_t> products;
  std::map<std::pair<int64_t, std::string>, int64_t> pairs;

  void Sell(Basket* basket) {
    double value = 0;
    for (const Line& line : basket->lines) value += line.price * line.quantity;
    auto& [baskets, spent] = households[basket->household];
    ++baskets;
    spent += value;
    for (Line& line : basket->lines) {
      line.basket_value = value;
      line.household_baskets = baskets;
      line.household_spent = spent;
      line.product_sold = ++products[line.product];
      line.pair_bought = ++pairs[{basket->household, line.product}];
    }
  }
};

const std::vector<Field>& LineFields() {
  static const std::vector<Field> fields = {
      {"line_id", TypeId::kString, "", ""},          {"bought_at", TypeId::kTimestamp, "", ""},
      {"household_id", TypeId::kInt64, "", ""},      {"product_id", TypeId::kString, "", ""},
      {"quantity", TypeId::kFloat64, "", ""},        {"price", TypeId::kFloat64, "", ""},
      {"basket_value", TypeId::kFloat64, "", ""},    {"household_baskets", TypeId::kInt64, "", ""},
      {"household_spent", TypeId::kFloat64, "", ""}, {"product_sold", TypeId::kInt64, "", ""},
      {"pair_bought", TypeId::kInt64, "", ""}};
  return fields;
}

}  // namespace

absl::StatusOr<std::vector<Basket>> ReadBaskets(const std::string& file) {
  LARDER_ASSIGN_OR_RETURN(const Batch table, ReadTable(file));
  const auto households = table.Find("household_id")->Values<int64_t>();
  const auto quantities = table.Find("quantity")->Values<double>();
  const auto values = table.Find("sales_value")->Values<double>();
  const auto times = table.Find("transaction_timestamp")->Values<int64_t>();
  const Column& products = *table.Find("product_id");

  // One entry per time, household and product: pieces and money.
  std::map<std::tuple<int64_t, int64_t, std::string>, std::pair<double, double>> sold;
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    auto& [pieces, money] = sold[{times[row], households[row], std::string(products.Text(row))}];
    pieces += quantities[row];
    money += values[row];
  }
  std::vector<Basket> baskets;
  Till till;
  for (const auto& [place, amounts] : sold) {
    const auto& [time, household, product] = place;
    if (baskets.empty() || baskets.back().bought_at.us != time ||
        baskets.back().household != household) {
      if (!baskets.empty()) till.Sell(&baskets.back());
      baskets.push_back({larder::Timestamp{time}, household, {}});
    }
    Line line;
    line.line_id = larder::Concat(time, "-", household, "-", product);
    line.bought_at = larder::Timestamp{time};
    line.household = household;
    line.product = product;
    line.quantity = amounts.first;
    line.price = amounts.first > 0 ? amounts.second / amounts.first : 0;
    baskets.back().lines.push_back(std::move(line));
  }
  if (baskets.empty()) return larder::InvalidArgumentError(file, " holds no transactions");
  till.Sell(&baskets.back());
  return baskets;
}

absl::StatusOr<Batch> LinesOf(std::span<const Basket> baskets) {
  std::vector<Column> columns;
  for (const Field& field : LineFields()) columns.emplace_back(field.type);
  for (const Basket& basket : baskets) {
    for (const Line& line : basket.lines) {
      columns[0].AppendText(line.line_id);
      columns[1].AppendFixed(line.bought_at.us);
      columns[2].AppendFixed(line.household);
      columns[3].AppendText(line.product);
      columns[4].AppendFixed(line.quantity);
      columns[5].AppendFixed(line.price);
      columns[6].AppendFixed(line.basket_value);
      columns[7].AppendFixed(line.household_baskets);
      columns[8].AppendFixed(line.household_spent);
      columns[9].AppendFixed(line.product_sold);
      columns[10].AppendFixed(line.pair_bought);
    }
  }
  Batch batch;
  for (std::size_t i = 0; i < columns.size(); ++i)
    LARDER_RETURN_IF_ERROR(batch.AddColumn(LineFields()[i].name, std::move(columns[i])));
  return batch;
}

absl::Status WriteLines(std::span<const Basket> baskets, const std::string& file) {
  LARDER_ASSIGN_OR_RETURN(const Batch lines, LinesOf(baskets));
  larder::CsvWriteOptions options;
  options.durable = false;
  LARDER_ASSIGN_OR_RETURN(const auto writer, larder::CreateCsv(file, LineFields(), options));
  LARDER_RETURN_IF_ERROR(writer->Write(lines));
  return writer->Finish();
}

std::vector<std::string> MostSold(std::span<const Basket> baskets, std::size_t count) {
  std::map<std::string, int64_t> sold;
  for (const Basket& basket : baskets) {
    for (const Line& line : basket.lines) sold[line.product] = line.product_sold;
  }
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [product, times] : sold) order.emplace_back(-times, product);
  std::sort(order.begin(), order.end());
  std::vector<std::string> products;
  for (std::size_t i = 0; i < std::min(count, order.size()); ++i)
    products.push_back(order[i].second);
  return products;
}

}  // namespace recommendation
